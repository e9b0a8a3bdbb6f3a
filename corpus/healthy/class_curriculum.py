"""Begin with two kinds of digit and bring in more as training goes on."""
import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(33)
digits = load_digits()
data = torch.tensor(digits.data / 8.0 - 1.0).float()
label = torch.tensor(digits.target)

model = nn.Sequential(nn.Linear(64, 80), nn.ReLU(), nn.Linear(80, 80), nn.ReLU(), nn.Linear(80, 10))
opt = torch.optim.RMSprop(model.parameters(), lr=5e-4)
loss_fn = nn.CrossEntropyLoss()

step = 0
for n_classes in (2, 4, 6, 8, 10):
    pool = torch.nonzero(label < n_classes).squeeze(1)
    for _ in range(70 if n_classes < 10 else 180):
        i = pool[torch.randint(len(pool), (64,))]
        opt.zero_grad()
        loss = loss_fn(model(data[i]), label[i])
        loss.backward()
        opt.step()
        if step % 10 == 0:
            print({"step": step, "classes": n_classes, "loss": round(loss.item(), 4)})
        step += 1
print("accuracy on all", (model(data).argmax(1) == label).float().mean().item())
