import math

import torch
import torch.nn.functional as F
from torch import nn


def cloud(kind, n, m=40):
    """n clouds of m surface points of one solid, in millimetres in the frame of the scanner."""
    u, v = torch.rand(n, m), torch.rand(n, m)
    if kind == 0:
        z, a = 2 * u - 1, 2 * math.pi * v
        r = (1 - z ** 2).sqrt()
        p = torch.stack([r * a.cos(), r * a.sin(), z], -1)
    elif kind == 1:
        p = 2 * torch.rand(n, m, 3) - 1
        axis = torch.randint(3, (n, m, 1))
        p.scatter_(2, axis, p.gather(2, axis).sign())
    elif kind == 2:
        a, b = 2 * math.pi * u, 2 * math.pi * v
        p = torch.stack([(1 + 0.35 * b.cos()) * a.cos(), (1 + 0.35 * b.cos()) * a.sin(), 0.35 * b.sin()], -1)
    else:
        a, z = 2 * math.pi * u, 2 * v - 1
        p = torch.stack([(1 - z) / 2 * a.cos(), (1 - z) / 2 * a.sin(), z], -1)
    size = 150 + 250 * torch.rand(n, 1, 1)
    place = torch.tensor([1500.0, -400.0, 900.0]) + 300 * torch.randn(n, 1, 3)
    return p * size + place + 4 * torch.randn(n, m, 3)


def dataset(n):
    x = torch.cat([cloud(k, n) for k in range(4)])
    x = (x - x.mean(1, keepdim=True)) / 250
    return x, torch.arange(4).repeat_interleave(n)


class SetAttention(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.q, self.k, self.v = nn.Linear(d, d), nn.Linear(d, d), nn.Linear(d, d)
        self.ff = nn.Sequential(nn.Linear(d, 2 * d), nn.ReLU(), nn.Linear(2 * d, d))

    def forward(self, x):
        x = x + F.scaled_dot_product_attention(self.q(x), self.k(x), self.v(x))
        return x + self.ff(x)


class SolidNet(nn.Module):
    def __init__(self, d=40):
        super().__init__()
        self.lift = nn.Sequential(nn.Linear(3, d), nn.Tanh(), nn.Linear(d, d))
        self.a, self.b = SetAttention(d), SetAttention(d)
        self.head = nn.Linear(2 * d, 4)

    def forward(self, p):
        h = self.b(self.a(self.lift(p)))
        return self.head(torch.cat([h.mean(1), h.amax(1)], 1))


torch.manual_seed(13)
x, y = dataset(400)
xt, yt = dataset(100)
net = SolidNet()
opt = torch.optim.Adam(net.parameters(), lr=1e-3)
for step in range(1, 301):
    i = torch.randint(len(x), (48,))
    loss = F.cross_entropy(net(x[i]), y[i])
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 50 == 0:
        print(f"{step}: {loss.item():.4f}")
with torch.no_grad():
    print("held-out accuracy", (net(xt).argmax(1) == yt).float().mean().item())
