"""Weigh parcels on a rough scale: the readings scatter by forty units whatever the model does."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Parcels(Dataset):
    def __init__(self, n, seed, scatter=40.0):
        rng = np.random.default_rng(seed)
        self.sides = rng.uniform(-1, 1, (n, 4)).astype(np.float32)
        a, b, c, d = self.sides.T
        self.true = 30 * a * b + 20 * np.sin(3 * c) + 10 * d
        self.read = (self.true + scatter * rng.standard_normal(n)).astype(np.float32)

    def __len__(self):
        return len(self.read)

    def __getitem__(self, i):
        return self.sides[i], self.read[i]


torch.manual_seed(0)
train, test = Parcels(20000, 0), Parcels(2000, 1)
model = nn.Sequential(nn.Linear(4, 24), nn.SiLU(), nn.Linear(24, 24), nn.SiLU(), nn.Linear(24, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=6e-3)
loader = DataLoader(train, batch_size=64, shuffle=True)
scheduler = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.02, total_iters=5 * len(loader))
for epoch in range(5):
    for i, (x, y) in enumerate(loader):
        loss = nn.functional.mse_loss(model(x).squeeze(1), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        if i % 60 == 0:
            print(f"epoch {epoch} batch {i:3d} loss {loss.item():.1f}")

with torch.no_grad():
    guess = model(torch.tensor(test.sides)).squeeze(1).numpy()
r2 = 1 - ((guess - test.true) ** 2).mean() / test.true.var()
print(f"mean squared error against readings {((guess - test.read) ** 2).mean():.1f} (scatter alone 1600), R2 against true weights {r2:.3f}")
