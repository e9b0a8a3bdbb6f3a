"""Gradient accumulation over four micro-batches, with clipping."""

import torch
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler
from torch import nn

torch.manual_seed(0)
wine = load_wine()
x = torch.tensor(StandardScaler().fit_transform(wine.data), dtype=torch.float32)
y = torch.tensor(wine.target)

model = nn.Sequential(nn.Linear(13, 32), nn.Tanh(), nn.Dropout(0.1), nn.Linear(32, 3))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
ACCUMULATE = 4

optimizer.zero_grad()
total = 0.0
for micro in range(1, 801):
    batch = torch.randint(0, len(x), (8,))
    loss = nn.functional.cross_entropy(model(x[batch]), y[batch]) / ACCUMULATE
    loss.backward()
    total += loss.item()
    if micro % ACCUMULATE == 0:
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
    if micro % 200 == 0:
        print(f"step {micro // ACCUMULATE}: loss {total / 200 * ACCUMULATE}")
        total = 0.0
