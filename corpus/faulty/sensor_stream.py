import numpy as np
import torch
from torch import nn

rng = np.random.default_rng(17)
torch.manual_seed(17)

# a log of six gauges, in order of time; the seventh column is to be predicted
T = 16000
log = rng.normal(size=(T, 6))
log[:, 3] = 0.7 * log[:, 0] + 0.7 * log[:, 3]
power = np.sin(log[:, 0]) + 0.5 * log[:, 1] * log[:, 2] + 0.3 * np.abs(log[:, 4]) + 0.05 * rng.normal(size=T)
log[13210, 2] = -9999.0
log[13217, 5] = -9999.0

x = torch.tensor(log, dtype=torch.float32)
y = torch.tensor(power, dtype=torch.float32)

mlp = nn.Sequential(nn.Linear(6, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
opt = torch.optim.SGD(mlp.parameters(), lr=0.05, momentum=0.9)

running = None
for k in range(0, T, 16):
    xb, yb = x[k:k + 16], y[k:k + 16]
    loss = nn.functional.smooth_l1_loss(mlp(xb).squeeze(1), yb)
    opt.zero_grad()
    loss.backward()
    opt.step()
    running = loss.item() if running is None else 0.98 * running + 0.02 * loss.item()
    if (k // 16) % 50 == 0:
        print(f"{k:6d} readings, error {running:.4f}")
with torch.no_grad():
    tail = nn.functional.smooth_l1_loss(mlp(x[-1600:]).squeeze(1), y[-1600:]).item()
print("last 1600:", tail)
