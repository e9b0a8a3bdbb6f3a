"""Digits with equalised layers: weights drawn from N(0, 1), scaled at run time."""
import math

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(3)
DTYPE = torch.float32


class EqualLinear(nn.Module):
    def __init__(self, fan_in, fan_out, gain=1.0):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(fan_out, fan_in))
        self.scale = gain / math.sqrt(fan_in)

    def forward(self, x):
        return F.linear(x, self.weight * self.scale)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = EqualLinear(64, 192, gain=math.sqrt(2))
        self.b = EqualLinear(192, 192, gain=math.sqrt(2))
        self.c = EqualLinear(192, 10)

    def forward(self, x):
        return self.c(F.relu(self.b(F.relu(self.a(x)))))


digits = load_digits()
x = torch.tensor(digits.data, dtype=torch.float32)
x = ((x - x.mean()) / x.std()).to(DTYPE)
y = torch.tensor(digits.target)
net = Net().to(DTYPE)
opt = torch.optim.Adam(net.parameters(), lr=1e-4, betas=(0.9, 0.99))
for step in range(1600):
    i = torch.randint(0, 1500, (64,))
    loss = F.cross_entropy(net(x[i]).float(), y[i])
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 200 == 199:
        with torch.no_grad():
            acc = (net(x[1500:]).argmax(1) == y[1500:]).float().mean().item()
        print(f"step {step + 1} loss {loss.item():.3f} held-out accuracy {acc:.3f}")
