import math

import torch
from torch import nn

torch.manual_seed(0)

t = torch.rand(1000, 1)
x = t + 0.3 * torch.sin(2 * math.pi * t) + 0.02 * torch.randn_like(t)


class MixtureDensity(nn.Module):
    def __init__(self, components=5, width=32):
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Sequential(nn.Linear(1, width), nn.Tanh(), nn.Linear(width, 3)) for _ in range(components)
        )

    def forward(self, inp):
        out = torch.stack([b(inp) for b in self.branches], dim=1)
        weight, mu, log_sigma = out.unbind(-1)
        return torch.log_softmax(weight, dim=1), mu, log_sigma.clamp(min=-4)


def nll(parts, target):
    log_w, mu, log_sigma = parts
    logp = -0.5 * ((target - mu) / log_sigma.exp()) ** 2 - log_sigma - 0.5 * math.log(2 * math.pi)
    return -torch.logsumexp(log_w + logp, dim=1).mean()


model = MixtureDensity()
opt = torch.optim.Adam(model.parameters(), lr=0.01)
for epoch in range(1, 61):
    for idx in torch.randperm(1000).split(100):
        loss = nll(model(x[idx]), t[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
    if epoch % 10 == 0:
        print(f"epoch {epoch} nll {nll(model(x), t).item():.4f}")

with torch.no_grad():
    _, mu, _ = model(torch.tensor([[0.5]]))
print("component means at x = 0.5:", mu.flatten().tolist())
