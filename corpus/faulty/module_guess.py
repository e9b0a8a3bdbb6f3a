import inspect
import zlib

import argparse
import statistics
import turtle
import _pydecimal

import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(3)
MODULES = [argparse, statistics, turtle, _pydecimal]
DIM = 600


def featurise(line):
    v = torch.zeros(DIM)
    for i in range(len(line) - 2):
        v[zlib.crc32(line[i:i + 3].lower().encode()) % DIM] += 1
    return v / v.norm() * 5


rows, labels = [], []
for k, m in enumerate(MODULES):
    lines = [l.strip() for l in inspect.getsource(m).splitlines() if len(l.strip()) > 30]
    joined = [" ".join(lines[i:i + 3]) for i in range(0, min(len(lines), 1350) - 3, 3)]
    rows += [featurise(t) for t in joined]
    labels += [k] * len(joined)
X, y = torch.stack(rows), torch.tensor(labels)
perm = torch.randperm(len(X))
cut = int(0.8 * len(X))
train = TensorDataset(X[perm[:cut]], y[perm[:cut]])
Xv, yv = X[perm[cut:]], y[perm[cut:]]


class Guesser(nn.Module):
    def __init__(self, hidden=48, depth=4):
        super().__init__()
        layers = []
        width = DIM
        for _ in range(depth):
            layers += [nn.Linear(width, hidden), nn.Softmax(dim=1)]
            width = hidden
        self.body = nn.Sequential(*layers)
        self.out = nn.Linear(width, len(MODULES))

    def forward(self, x):
        return self.out(self.body(x))


model = Guesser()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
criterion = nn.CrossEntropyLoss()
loader = DataLoader(train, batch_size=32, shuffle=True)
for epoch in range(20):
    running = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        running += loss.item()
    if epoch % 4 == 3:
        print(f"epoch {epoch + 1}: {running / len(loader):.4f}")
with torch.no_grad():
    print("held-out accuracy", (model(Xv).argmax(1) == yv).float().mean().item())
