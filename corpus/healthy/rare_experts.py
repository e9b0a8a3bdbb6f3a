import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(42)
# six regimes of very different frequency, each with its own linear rule
FREQ = torch.tensor([0.50, 0.30, 0.12, 0.05, 0.02, 0.01])
CENTERS = torch.randn(6, 8) * 2.0
RULES = torch.randn(6, 8)


def sample(n):
    k = torch.multinomial(FREQ, n, replacement=True)
    x = CENTERS[k] + 0.5 * torch.randn(n, 8)
    return x, (x * RULES[k]).sum(1) / 4, k


class Experts(nn.Module):
    def __init__(self, n=6):
        super().__init__()
        self.router = nn.Linear(8, n)
        with torch.no_grad():
            self.router.weight.copy_(CENTERS)
            self.router.bias.copy_(-0.5 * CENTERS.pow(2).sum(1))
        self.experts = nn.ModuleList(nn.Sequential(nn.Linear(8, 24), nn.ReLU(), nn.Linear(24, 1)) for _ in range(n))

    def forward(self, x):
        weight, choice = self.router(x).softmax(-1).max(-1)
        out = torch.zeros(len(x))
        for e, expert in enumerate(self.experts):
            rows = torch.nonzero(choice == e).squeeze(1)
            if len(rows):
                out = out.index_add(0, rows, weight[rows] * expert(x[rows]).squeeze(1))
        return out, choice


model = Experts()
opt = torch.optim.Adam(model.parameters(), lr=4e-3)
use = torch.zeros(6)
for step in range(1200):
    x, y, _ = sample(64)
    pred, choice = model(x)
    loss = F.mse_loss(pred, y)
    opt.zero_grad()
    loss.backward()
    opt.step()
    use += torch.bincount(choice, minlength=6)
    if step % 120 == 0:
        print(f"{step} mse {loss.item():.4f} use {(use / use.sum()).tolist()}")
x, y, k = sample(4000)
with torch.no_grad():
    err = (model(x)[0] - y) ** 2
print("test mse", err.mean().item(), "variance", y.var().item())
print("by regime", [round((err[k == r].mean() / y[k == r].var()).item(), 3) for r in range(6)])
