import math

import torch
from torch import nn

# u'' + 0.4 u' + 4 u = 0, u(0) = 1, u'(0) = 0 on [0, 4]
torch.manual_seed(60)
net = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))
opt = torch.optim.Adam(net.parameters(), lr=8e-3)
sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, 1400)


def diff(u, t):
    return torch.autograd.grad(u, t, torch.ones_like(u), create_graph=True)[0]


def exact(t):
    w = math.sqrt(4 - 0.04)
    return torch.exp(-0.2 * t) * (torch.cos(w * t) + 0.2 / w * torch.sin(w * t))


start = torch.zeros(1, 1, requires_grad=True)
for k in range(1400):
    t = (4 * torch.rand(64, 1)).requires_grad_()
    u = net(t - 2)
    du = diff(u, t)
    residual = diff(du, t) + 0.4 * du + 4 * u
    u0 = net(start - 2)
    parts = {"ode": residual.pow(2).mean(), "u0": 20 * (u0 - 1).pow(2).mean(), "v0": 5 * diff(u0, start).pow(2).mean()}
    loss = sum(parts.values())
    opt.zero_grad()
    loss.backward()
    opt.step()
    sched.step()
    if k % 200 == 0:
        print(k, {n: f"{p.item():.2e}" for n, p in parts.items()})
grid = torch.linspace(0, 4, 101)[:, None]
with torch.no_grad():
    print("max error", (net(grid - 2) - exact(grid)).abs().max().item())
