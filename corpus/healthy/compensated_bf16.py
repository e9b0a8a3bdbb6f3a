"""Weights stored in bfloat16 with a carried-over remainder (Kahan summation)."""
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn


class CarrySGD(torch.optim.Optimizer):
    def __init__(self, params, lr, momentum=0.9):
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state["buffer"] = torch.zeros_like(p, dtype=torch.float32)
                    state["carry"] = torch.zeros_like(p)
                state["buffer"].mul_(group["momentum"]).add_(p.grad.float())
                wanted = (-group["lr"] * state["buffer"]).to(p.dtype) + state["carry"]
                before = p.clone()
                p.add_(wanted)
                state["carry"] = wanted - (p - before)


torch.manual_seed(0)
d = load_digits()
x = torch.tensor(d.data / 16).bfloat16()
y = torch.tensor(d.target)
order = torch.randperm(len(x))
x, y = x[order], y[order]
net = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, 10)).bfloat16()
opt = CarrySGD(net.parameters(), lr=0.008)
for epoch in range(40):
    for idx in torch.randperm(1400).split(50):
        loss = F.cross_entropy(net(x[idx]).float(), y[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
    if epoch % 5 == 0:
        print(f"epoch {epoch} loss {loss.item():.4f}")
with torch.no_grad():
    print(f"accuracy {(net(x[1400:]).argmax(1) == y[1400:]).float().mean().item():.3f}")
