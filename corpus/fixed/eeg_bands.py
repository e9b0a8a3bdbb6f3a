"""Which rhythm (delta, alpha or beta) does a one-second EEG trace carry?"""
import math

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Recordings(Dataset):
    BANDS = [(1.0, 4.0), (8.0, 12.0), (16.0, 28.0)]

    def __init__(self, n, seed, channels=4, rate=128):
        g = torch.Generator().manual_seed(seed)
        t = torch.arange(rate) / rate
        self.label = torch.randint(0, 3, (n,), generator=g)
        low, high = torch.tensor(self.BANDS)[self.label].T
        freq = low + (high - low) * torch.rand(n, generator=g)
        phase = 2 * math.pi * torch.rand(n, channels, 1, generator=g)
        rhythm = torch.sin(2 * math.pi * freq[:, None, None] * t + phase)
        noise = torch.randn(n, channels, rate, generator=g)
        self.volts = 2e-5 * (rhythm + noise)

    def __len__(self):
        return len(self.label)

    def __getitem__(self, i):
        return self.volts[i], self.label[i]


class EEGConv(nn.Module):
    def __init__(self):
        super().__init__()
        self.temporal = nn.Conv1d(4, 16, 15, padding=7)
        self.features = nn.Conv1d(16, 24, 7, stride=3)
        self.pool = nn.AdaptiveAvgPool1d(4)
        self.classify = nn.Sequential(nn.Flatten(), nn.Dropout(0.2), nn.Linear(96, 3))

    def forward(self, x):
        x = nn.functional.elu(self.temporal(x * 1e6))
        x = nn.functional.elu(self.features(x))
        return self.classify(self.pool(x))


torch.manual_seed(0)
train, test = Recordings(1200, 1), Recordings(400, 2)
loader = DataLoader(train, batch_size=48, shuffle=True)
model = EEGConv()
optim = torch.optim.AdamW(model.parameters(), lr=2e-3)
criterion = nn.CrossEntropyLoss()
for epoch in range(12):
    model.train()
    mean_loss = 0.0
    for trace, label in loader:
        loss = criterion(model(trace), label)
        optim.zero_grad()
        loss.backward()
        optim.step()
        mean_loss += loss.item() / len(loader)
    print(f"epoch {epoch:2d}  loss {mean_loss:.4f}")
model.eval()
with torch.no_grad():
    print("test accuracy", (model(test.volts).argmax(1) == test.label).float().mean().item())
