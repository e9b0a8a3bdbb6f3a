import math

import torch
from torch import nn
import torch.nn.functional as F


class Pool(nn.Module):
    def __init__(self, heads=4, d=128, temperature=0.01):
        super().__init__()
        self.h, self.dk = heads, d // heads
        self.scale = temperature * math.sqrt(self.dk)
        self.inp = nn.Linear(2, d)
        self.query = nn.Parameter(torch.randn(heads, self.dk))
        self.k = nn.Linear(d, d)
        self.v = nn.Linear(d, d)
        self.head = nn.Sequential(nn.LayerNorm(d), nn.Linear(d, 64), nn.GELU(), nn.Linear(64, 1))

    def forward(self, x):
        b, t, _ = x.shape
        z = F.gelu(self.inp(x))
        k = self.k(z).view(b, t, self.h, self.dk)
        v = self.v(z).view(b, t, self.h, self.dk)
        scores = torch.einsum("hd,bthd->bht", self.query, k) / self.scale
        mix = torch.einsum("bht,bthd->bhd", scores.softmax(-1), v)
        return self.head(mix.reshape(b, -1)).squeeze(-1)


def make(n, t=24):
    value = torch.randn(n, t)
    mark = torch.zeros(n, t)
    for i in range(n):
        mark[i, torch.randperm(t)[:12]] = 1
    target = (value * mark).sum(1) / 12
    return torch.stack([value, mark], -1), target * 3


def main():
    torch.manual_seed(0)
    x, y = make(3000)
    xt, yt = make(1000)
    model = Pool()
    opt = torch.optim.AdamW(model.parameters(), lr=5e-4)
    for step in range(1, 501):
        i = torch.randint(len(x), (64,))
        loss = F.mse_loss(model(x[i]), y[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
        if step % 100 == 0:
            print(f"step {step:4d} mse {loss.item():.4f}")
    with torch.no_grad():
        print(f"held-out mse {F.mse_loss(model(xt), yt).item():.4f} (variance {yt.var().item():.4f})")


main()
