"""Forward kinematics of a planar arm with three joints, trained with an AdamW of our own."""
import math

import torch
import torch.nn as nn
from torch.optim import Optimizer


class MyAdamW(Optimizer):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            b1, b2 = group["betas"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state["t"], state["m"], state["v"] = 0, torch.zeros_like(p), torch.zeros_like(p)
                state["t"] += 1
                p.mul_(1 - group["weight_decay"])
                state["m"].lerp_(p.grad, 1 - b1)
                state["v"].mul_(b2).addcmul_(p.grad, p.grad, value=1 - b2)
                m = state["m"] / (1 - b1 ** state["t"])
                v = state["v"] / (1 - b2 ** state["t"])
                p.addcdiv_(m, v.sqrt() + group["eps"], value=-group["lr"])


def hand(angles):
    a = angles.cumsum(1)
    length = torch.tensor([1.0, 0.7, 0.4])
    return torch.stack([(length * a.cos()).sum(1), (length * a.sin()).sum(1)], 1)


torch.manual_seed(3)
theta = (torch.rand(5000, 3) - 0.5) * math.pi
xy = hand(theta)
xy = (xy - xy.mean(0)) / xy.std(0)
net = nn.Sequential(nn.Linear(3, 96), nn.Tanh(), nn.Linear(96, 96), nn.Tanh(), nn.Linear(96, 2))
opt = MyAdamW(net.parameters(), lr=2e-3, weight_decay=0.05)
for it in range(2000):
    idx = torch.randint(0, 4500, (128,))
    loss = nn.functional.mse_loss(net(theta[idx]), xy[idx])
    opt.zero_grad()
    loss.backward()
    opt.step()
    if it % 250 == 0:
        print(it, round(loss.item(), 5))
with torch.no_grad():
    err = (net(theta[4500:]) - xy[4500:]).pow(2).mean()
print("test mse", round(err.item(), 5), "R2", round(1 - err.item() / xy[4500:].var().item(), 4))
