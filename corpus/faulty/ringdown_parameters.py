import math

import torch
from torch import nn

gen = torch.Generator().manual_seed(21)
N, T, FS = 3000, 128, 8000.0
t = torch.arange(T) / FS


def uniform(lo, hi):
    return lo + (hi - lo) * torch.rand(N, generator=gen)


freq_hz = uniform(300, 900)
damping = uniform(0.01, 0.12)
volts = uniform(0.4, 2.0)
phase = uniform(0, 2 * math.pi)
omega = 2 * math.pi * freq_hz
wave = volts[:, None] * torch.exp(-(damping * omega)[:, None] * t) * torch.sin(omega[:, None] * t + phase[:, None])
X = (wave + 0.01 * torch.randn(N, T, generator=gen)).unsqueeze(1)
Y = torch.stack([freq_hz, damping, volts], dim=1)
Xtr, Ytr, Xte, Yte = X[:2500], Y[:2500], X[2500:], Y[2500:]


def block(i, o):
    return nn.Sequential(nn.Conv1d(i, o, 7, stride=2, padding=3), nn.BatchNorm1d(o), nn.ReLU())


torch.manual_seed(21)
net = nn.Sequential(
    block(1, 16), block(16, 32), block(32, 32),
    nn.Flatten(), nn.Linear(32 * 16, 64), nn.ReLU(), nn.Linear(64, 3),
)
opt = torch.optim.Adam(net.parameters(), lr=2e-3)
sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, 20)
for epoch in range(20):
    net.train()
    total = 0.0
    for idx in torch.randperm(len(Xtr)).split(64):
        opt.zero_grad()
        loss = nn.functional.mse_loss(net(Xtr[idx]), Ytr[idx])
        loss.backward()
        opt.step()
        total += loss.item() * len(idx)
    sched.step()
    if epoch % 4 == 3:
        print(epoch + 1, total / len(Xtr))

net.eval()
with torch.no_grad():
    out = net(Xte)
r2 = 1 - ((out - Yte) ** 2).mean(0) / Yte.var(0)
for name, value in zip(("frequency", "damping", "amplitude"), r2.tolist()):
    print(f"R2 {name}: {value:.3f}")
