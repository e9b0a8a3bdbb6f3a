"""Slow feature analysis: the outputs are normalised last, without it they would all be constant."""
import math

import torch
from torch import nn

torch.manual_seed(0)


def record(n, offset):
    t = torch.arange(n) / 200.0 + offset
    slow = torch.sin(2 * math.pi * t * 0.5)
    fast = torch.sin(2 * math.pi * t * 9.7) + 0.5 * torch.sin(2 * math.pi * t * 14.3)
    mixed = torch.stack([slow + fast ** 2, fast, fast * slow.abs() ** 0.5, fast ** 3 - slow, fast + 0.3], 1)
    return 40 * mixed + 3, slow


x, _ = record(4000, 0.0)
x_test, slow_test = record(2000, 31.7)
net = nn.Sequential(
    nn.BatchNorm1d(5), nn.Linear(5, 48), nn.Tanh(), nn.Linear(48, 48), nn.Tanh(),
    nn.Linear(48, 1), nn.BatchNorm1d(1, affine=False),
)
opt = torch.optim.Adam(net.parameters(), lr=1e-3)
for step in range(700):
    i = torch.randint(0, len(x) - 1, (256,))
    z = net(torch.cat([x[i], x[i + 1]]))
    loss = ((z[:256] - z[256:]) ** 2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 70 == 0:
        print(f"step {step:3d}  slowness {loss.item():.5f}")
net.eval()
with torch.no_grad():
    z = net(x_test).squeeze(1)
print(f"held-out correlation with the hidden slow source {torch.corrcoef(torch.stack([z, slow_test]))[0, 1].abs().item():.3f}")
