import math

import torch
from torch import nn

torch.manual_seed(0)

hours = torch.arange(6000, dtype=torch.float32)
level = (1.3 * torch.sin(2 * math.pi * hours / 12.42) + 0.5 * torch.sin(2 * math.pi * hours / 24.0 + 0.7)
         + 0.4 * torch.sin(2 * math.pi * hours / 12.0 + 2.0) + 0.05 * torch.randn(6000))
PAST, AHEAD = 48, 12


def windows(begin, end):
    w = level[begin:end].unfold(0, PAST + AHEAD, 1)
    return w[:, :PAST].unsqueeze(1), w[:, PAST:]


class Forecaster(nn.Module):
    def __init__(self, width=32):
        super().__init__()
        self.trunk = nn.Sequential(
            nn.Conv1d(1, width, 5, stride=2, padding=2), nn.GELU(),
            nn.Conv1d(width, width, 5, stride=2, padding=2), nn.GELU(),
            nn.Conv1d(width, width, 3, padding=1), nn.GELU(),
        )
        self.mix = nn.Conv1d(width, 1, 1)
        self.head = nn.Linear(PAST // 4, AHEAD)

    def forward(self, x):
        return self.head(self.mix(self.trunk(x)))


def log_cosh(error):
    return torch.log(torch.cosh(error)).mean()


x_train, y_train = windows(0, 4800)
x_test, y_test = windows(4800, 6000)
net = Forecaster()
optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=3, gamma=0.5)
for epoch in range(10):
    running, count = 0.0, 0
    for rows in torch.randperm(len(x_train)).split(50):
        forecast = net(x_train[rows]).squeeze(1)
        loss = log_cosh(forecast - y_train[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        running += loss.item()
        count += 1
    scheduler.step()
    print(f"epoch {epoch}  log-cosh {running / count:.4f}")

with torch.no_grad():
    rmse = (net(x_test).reshape(-1, AHEAD) - y_test).pow(2).mean().sqrt()
print(f"rmse on the last 50 days {rmse:.3f} m, spread of the tide {y_test.std():.3f} m")
