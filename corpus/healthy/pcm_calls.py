import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

RATE, LENGTH = 8000, 512


def recordings(n, seed):
    """16 bit PCM of four calls: steady, rising, falling, trill."""
    r = np.random.default_rng(seed)
    t = np.arange(LENGTH) / RATE
    kind = r.integers(0, 4, n)
    f0 = r.uniform(500, 1500, (n, 1))
    bend = r.uniform(4000, 9000, (n, 1)) * np.choose(kind, [0, 1, -1, 0])[:, None]
    f0 = np.where(bend < 0, f0 + 800, f0)
    trill = np.where(kind == 3, 6.0, 0.0)[:, None] * np.sin(2 * np.pi * 60 * t)
    tone = np.sin(2 * np.pi * (f0 * t + bend * t ** 2 / 2) + trill + r.uniform(0, 6.28, (n, 1)))
    loud = r.uniform(2000, 24000, (n, 1))
    pcm = loud * tone + 300 * r.standard_normal((n, LENGTH))
    return torch.from_numpy(pcm.round().astype(np.int16)), torch.from_numpy(kind)


def stage(i, o):
    return [nn.Conv1d(i, o, 9, stride=4, padding=4), nn.BatchNorm1d(o), nn.ReLU()]


torch.manual_seed(14)
train = DataLoader(TensorDataset(*recordings(2400, 1)), batch_size=48, shuffle=True)
pcm_test, kind_test = recordings(600, 2)
net = nn.Sequential(*stage(1, 16), *stage(16, 32), *stage(32, 32), nn.Flatten(), nn.Linear(32 * 8, 4))
opt = torch.optim.Adam(net.parameters(), lr=2e-3)
loss_fn = nn.CrossEntropyLoss()
for epoch in range(8):
    net.train()
    total = 0.0
    for pcm, kind in train:
        loss = loss_fn(net(pcm.unsqueeze(1).float()), kind)
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item()
    print(f"epoch {epoch} loss {total / len(train):.4f}")
net.eval()
with torch.no_grad():
    guess = net(pcm_test.unsqueeze(1).float()).argmax(1)
print("held-out accuracy", (guess == kind_test).float().mean().item())
