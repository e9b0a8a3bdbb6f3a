import math

import torch
from torch import nn

torch.manual_seed(12)

# demand of a grid in kW: mostly chance, a little of it is the day and the temperature
DAYS = 260
hour = torch.arange(DAYS * 24) % 24
temp = 10 + 8 * torch.sin(2 * math.pi * torch.arange(DAYS * 24) / 8760) + 2 * torch.randn(DAYS * 24)
signal = 900 * torch.sin(2 * math.pi * (hour - 8) / 24) + 60 * (temp - 15).abs()
demand = 52000 + signal + 3000 * torch.randn(DAYS * 24)

x = torch.stack([torch.sin(2 * math.pi * hour / 24), torch.cos(2 * math.pi * hour / 24), (temp - 10) / 8], 1)
split = torch.rand(len(x)) < 0.85


class Load(nn.Module):
    def __init__(self, typical, spread):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(3, 32), nn.ELU(), nn.Linear(32, 32), nn.ELU(), nn.Linear(32, 1))
        self.typical, self.spread = typical, spread

    def forward(self, x):
        return self.typical + self.spread * self.net(x).squeeze(1)


model = Load(demand[split].mean(), demand[split].std())
opt = torch.optim.Adam(model.parameters(), lr=1e-3, weight_decay=0)
rows = split.nonzero().squeeze(1)
for epoch in range(12):
    total = 0.0
    for i in rows[torch.randperm(len(rows))].split(64):
        loss = (model(x[i]) - demand[i]).square().mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(i)
    for g in opt.param_groups:
        g["lr"] *= 0.8
    print(f"epoch {epoch + 1} loss {total / len(rows):.0f}")

with torch.no_grad():
    guess, truth = model(x[~split]), (52000 + signal)[~split]
    print(f"held-out error against what can be known {(guess - truth).square().mean().sqrt().item():.0f} kW, "
          f"of a spread of {truth.std().item():.0f} kW; noise 3000 kW")
