import torch
from sklearn.datasets import load_diabetes
from torch import nn

torch.manual_seed(44)
X, _ = load_diabetes(return_X_y=True)
X = torch.tensor(X, dtype=torch.float32) * 20
# displacement in metres, about a millimetre
y = 1e-3 * (torch.sin(X[:, 2]) + 0.5 * X[:, 3] * X[:, 8].tanh() + 0.3 * X[:, 7])

model = nn.Sequential(nn.Linear(10, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 1))
nn.init.zeros_(model[-1].weight)
nn.init.zeros_(model[-1].bias)
opt = torch.optim.Adam(model.parameters(), lr=1e-3)
sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, 1200)
for it in range(1200):
    i = torch.randint(0, 400, (100,))
    loss = ((model(X[i])[:, 0] - y[i]) ** 2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    sched.step()
    if it % 100 == 0:
        print(it, f"{loss.item():.3e}")
with torch.no_grad():
    err = (model(X[:400])[:, 0] - y[:400]).pow(2).mean()
    held = (model(X[400:])[:, 0] - y[400:]).pow(2).mean()
print(f"train mse {err:.3e} variance {y[:400].var():.3e} R2 {1 - err / y[:400].var():.4f} held-out R2 {1 - held / y[400:].var():.4f}")
