"""Harder data from the middle on: the loss jumps, and falls again."""
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
for step in range(1000):
    hard = step >= 400
    x = (torch.rand(128, 2) * 2 - 1) * (2.0 if hard else 0.5)
    y = torch.sin(2 * x[:, :1]) * x[:, 1:] * (2 if hard else 1)
    loss = nn.functional.mse_loss(net(x), y)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 50 == 0 or step == 400:
        print(step, loss.item())
