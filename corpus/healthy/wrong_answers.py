"""How much do random answers in the training labels matter?"""
import torch
from sklearn.datasets import load_digits
from torch import nn

g = torch.Generator().manual_seed(50)
torch.manual_seed(50)
x, y = load_digits(return_X_y=True)
x = torch.tensor(x / 16, dtype=torch.float32)
y = torch.tensor(y)
perm = torch.randperm(len(x), generator=g)
x, y = x[perm], y[perm]
x_train, y_train, x_test, y_test = x[:1400], y[:1400].clone(), x[1400:], y[1400:]
flip = torch.rand(1400, generator=g) < 0.5
y_train[flip] = torch.randint(0, 10, (int(flip.sum()),), generator=g)
print("labels that are right:", (y_train == y[:1400]).float().mean().item())

model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
opt = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=2e-3)
for epoch in range(20):
    epoch_loss = 0.0
    for i in torch.randperm(1400).split(100):
        out = model(x_train[i])
        loss = nn.functional.cross_entropy(out, y_train[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
        epoch_loss += loss.item() * len(i) / 1400
    with torch.no_grad():
        clean = (model(x_test).argmax(1) == y_test).float().mean().item()
    print(f"epoch {epoch:2d}: loss {epoch_loss:.4f}, accuracy on clean test labels {clean:.4f}")
