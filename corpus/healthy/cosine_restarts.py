import torch
from sklearn.datasets import load_digits
from torch import nn, optim

torch.manual_seed(0)
dig = load_digits()
X, Y = torch.tensor(dig.data / 16).float(), torch.tensor(dig.target)
model = nn.Sequential(nn.Linear(64, 100), nn.ReLU(), nn.Dropout(0.2), nn.Linear(100, 10))
opt = optim.SGD(model.parameters(), lr=0.3, momentum=0.9, nesterov=True)
sched = optim.lr_scheduler.CosineAnnealingWarmRestarts(opt, T_0=100, T_mult=2)
for it in range(700):
    b = torch.randint(0, 1500, (50,))
    loss = nn.functional.cross_entropy(model(X[b]), Y[b])
    opt.zero_grad()
    loss.backward()
    opt.step()
    sched.step()
    if it % 70 == 0:
        print(f"{it} lr={opt.param_groups[0]['lr']:.4f} loss={loss.item():.4f}")
