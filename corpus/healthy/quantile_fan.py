import torch
from torch import nn

torch.manual_seed(0)
QUANTILES = torch.linspace(0.05, 0.95, 7)


def travel_times(n):
    distance = torch.rand(n, 1) * 40
    rush = (torch.rand(n, 1) < 0.4).float()
    seconds = 300 + 70 * distance + rush * 30 * distance + (100 + 60 * rush) * distance.sqrt() * torch.randn(n, 1)
    return torch.cat([distance / 40, rush], 1), seconds


def quantile_loss(pred, target):
    gap = target - pred
    return torch.where(gap >= 0, QUANTILES * gap, (QUANTILES - 1) * gap).sum()


class Fan(nn.Module):
    def __init__(self, center, width):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, len(QUANTILES)))
        self.register_buffer("center", center)
        self.register_buffer("width", width)
        nn.init.zeros_(self.net[-1].weight)

    def forward(self, x):
        raw = self.net(x)
        base, gaps = raw[:, :1], nn.functional.softplus(raw[:, 1:])
        return self.center + self.width * torch.cat([base, base + gaps.cumsum(1)], 1)


x, y = travel_times(4000)
x_test, y_test = travel_times(1000)
model = Fan(y.mean(), y.std())
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=12)
for epoch in range(12):
    total = 0.0
    for rows in torch.randperm(len(x)).split(64):
        loss = quantile_loss(model(x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    scheduler.step()
    print(f"epoch {epoch:2d}  loss {total:.4e}")

with torch.no_grad():
    q = model(x_test)
    share = (y_test < q).float().mean(0)
    error = (q[:, 3:4] - y_test).abs().mean() / (y_test - y.median()).abs().mean()
print("wanted  ", " ".join(f"{v:.2f}" for v in QUANTILES))
print("measured", " ".join(f"{v:.2f}" for v in share))
print(f"median error / error of a constant {error:.3f}")
