import math

import torch
from torch import nn


class Causal(nn.Module):
    def __init__(self, c, dilation):
        super().__init__()
        self.pad = nn.ConstantPad1d((2 * dilation, 0), 0.0)
        self.conv = nn.Conv1d(c, 2 * c, 3, dilation=dilation)

    def forward(self, x):
        a, b = self.conv(self.pad(x)).chunk(2, dim=1)
        return x + torch.tanh(a) * torch.sigmoid(b)


class Forecaster(nn.Module):
    """Takes and returns pascal; mean and spread of the record are kept as buffers."""

    def __init__(self, record, c=24):
        super().__init__()
        self.register_buffer("mean", record.mean())
        self.register_buffer("std", record.std())
        self.inp = nn.Conv1d(1, c, 1)
        self.body = nn.Sequential(*(Causal(c, d) for d in (1, 2, 4, 8)))
        self.out = nn.Conv1d(c, 1, 1)

    def forward(self, pascal):
        z = (pascal.unsqueeze(1) - self.mean) / self.std
        return self.mean + self.std * self.out(self.body(self.inp(z))).squeeze(1)


torch.manual_seed(12)
hours = torch.arange(6000, dtype=torch.float32)
front = torch.zeros(6000)
for k in range(2, 6000):
    front[k] = 1.9 * front[k - 1] - 0.905 * front[k - 2] + torch.randn(()).item()
pressure = 101325 + 160 * front / front.std() * 5 + 120 * torch.sin(2 * math.pi * hours / 12)
train, test = pressure[:5000], pressure[5000:]

model = Forecaster(train)
opt = torch.optim.Adam(model.parameters(), lr=3e-3)
sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, 400)
for step in range(400):
    start = torch.randint(len(train) - 65, (32, 1))
    window = train[start + torch.arange(65)]
    ahead = model(window[:, :-1])[:, 16:]
    loss = ((ahead - window[:, 17:]) ** 2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    sched.step()
    if step % 50 == 0:
        print(f"step {step} loss {loss.item():.1f} Pa^2")

with torch.no_grad():
    out = model(test[None, :-1])[0, 16:]
rmse = (out - test[17:]).square().mean().sqrt().item()
naive = (test[16:-1] - test[17:]).square().mean().sqrt().item()
print(f"one hour ahead: rmse {rmse:.1f} Pa, persistence {naive:.1f} Pa, spread {test.std().item():.1f} Pa")
