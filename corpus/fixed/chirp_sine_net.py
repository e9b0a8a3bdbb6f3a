import math

import torch
from torch import nn


class Sine(nn.Module):
    def __init__(self, n_in, n_out, omega):
        super().__init__()
        self.omega = omega
        self.lin = nn.Linear(n_in, n_out)
        bound = 1 / n_in if n_in == 1 else math.sqrt(6 / n_in)
        nn.init.uniform_(self.lin.weight, -bound, bound)

    def forward(self, x):
        return torch.sin(self.omega * self.lin(x))


torch.manual_seed(0)
t = torch.linspace(-1, 1, 1601).unsqueeze(1)
signal = torch.sin(8 * t + 22 * t ** 2) * torch.exp(-(t - 0.2) ** 2) + 0.3 * torch.cos(31 * t)
held = torch.arange(len(t)) % 4 == 2
t_fit, s_fit, t_new, s_new = t[~held], signal[~held], t[held], signal[held]

net = nn.Sequential(Sine(1, 64, 30.0), Sine(64, 64, 1.0), Sine(64, 64, 1.0), nn.Linear(64, 1))
opt = torch.optim.Adam(net.parameters(), lr=2e-4)
for step in range(1500):
    i = torch.randint(len(t_fit), (256,))
    loss = (net(t_fit[i]) - s_fit[i]).square().mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 250 == 0:
        print(f"{step:5d} {loss.item():.5f}")
with torch.no_grad():
    err = (net(t_new) - s_new).square().mean()
print(f"between the samples: mse {err.item():.5f}, r2 {1 - err.item() / s_new.var().item():.4f}")
