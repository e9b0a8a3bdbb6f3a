"""Temperature of a cooling rod from the heat equation, its ends and its first moment."""
import math
import torch
import torch.nn as nn

torch.manual_seed(0)
KAPPA = 0.1


def exact(x, t):
    return (torch.sin(math.pi * x) * torch.exp(-KAPPA * math.pi ** 2 * t)
            + 0.5 * torch.sin(3 * math.pi * x) * torch.exp(-9 * KAPPA * math.pi ** 2 * t))


class Field(nn.Module):
    def __init__(self, width=24):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1))

    def forward(self, x, t):
        return self.net(torch.cat([2 * x - 1, 2 * t - 1], 1))


def grad(u, v):
    return torch.autograd.grad(u.sum(), v, create_graph=True)[0]


def residual(field, n=300):
    x = torch.rand(n, 1, requires_grad=True)
    t = torch.rand(n, 1, requires_grad=True)
    u = field(x, t)
    return grad(u, t) - KAPPA * grad(grad(u, x), x)


field = Field()
optimizer = torch.optim.Adam(field.parameters(), lr=1e-2)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 900)
x0 = torch.linspace(0, 1, 48).unsqueeze(1)
u0 = exact(x0, torch.zeros_like(x0))
for step in range(900):
    optimizer.zero_grad()
    equation = residual(field).pow(2).sum()
    start = (field(x0, torch.zeros_like(x0)) - u0).pow(2).mean()
    t = torch.rand(64, 1)
    ends = (field(torch.zeros_like(t), t).pow(2) + field(torch.ones_like(t), t).pow(2)).mean()
    loss = equation + 10 * start + 10 * ends
    loss.backward()
    optimizer.step()
    scheduler.step()
    if step % 100 == 0:
        print(f"{step:4d} equation {equation.item():.5f} start {start.item():.5f} ends {ends.item():.5f}")

gx, gt = torch.meshgrid(torch.linspace(0, 1, 50), torch.linspace(0, 1, 50), indexing="ij")
gx, gt = gx.reshape(-1, 1), gt.reshape(-1, 1)
with torch.no_grad():
    error = (field(gx, gt) - exact(gx, gt)).norm() / exact(gx, gt).norm()
print(f"relative error of the field {error.item():.4f}")
