"""Linear warm-up from a learning rate of exactly 0, then cosine."""
import math

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
d = load_digits()
X, y = torch.tensor(d.data / 16).float(), torch.tensor(d.target)
net = nn.Sequential(nn.Linear(64, 64), nn.LayerNorm(64), nn.ReLU(), nn.Linear(64, 64), nn.LayerNorm(64), nn.ReLU(), nn.Linear(64, 10))
opt = torch.optim.AdamW(net.parameters(), lr=3e-3)
WARM, TOTAL = 60, 400
sched = torch.optim.lr_scheduler.LambdaLR(
    opt, lambda s: s / WARM if s < WARM else 0.5 * (1 + math.cos(math.pi * (s - WARM) / (TOTAL - WARM)))
)
for step in range(TOTAL):
    i = torch.randint(0, 1500, (64,))
    loss = nn.functional.cross_entropy(net(X[i]), y[i])
    opt.zero_grad()
    loss.backward()
    opt.step()
    sched.step()
    if step % 50 == 0:
        print(step, sched.get_last_lr()[0], loss.item())
print("test", (net(X[1500:]).argmax(1) == y[1500:]).float().mean().item())
