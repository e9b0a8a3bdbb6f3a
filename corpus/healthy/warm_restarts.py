import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingWarmRestarts

torch.manual_seed(12)
x, y = load_digits(return_X_y=True)
x, y = torch.tensor(x / 16).float(), torch.tensor(y)

mlp = nn.Sequential(nn.Linear(64, 64), nn.ELU(), nn.Linear(64, 64), nn.ELU(), nn.Linear(64, 10))
sgd = torch.optim.SGD(mlp.parameters(), lr=0.08, momentum=0.9, weight_decay=1e-4)
sched = CosineAnnealingWarmRestarts(sgd, T_0=50, T_mult=2)

for t in range(350):
    b = torch.randint(1500, (64,))
    loss = nn.functional.cross_entropy(mlp(x[b]), y[b])
    sgd.zero_grad()
    loss.backward()
    sgd.step()
    sched.step()
    if t % 10 == 0:
        print(f"{t}\tlr={sgd.param_groups[0]['lr']:.4f}\tloss={loss.item():.4f}")
print("test", (mlp(x[1500:]).argmax(1) == y[1500:]).float().mean().item())
