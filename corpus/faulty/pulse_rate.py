import math

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Pulses(Dataset):
    """wrist sensor, 6 seconds at 12 Hz; target: beats per second"""

    def __init__(self, n, seed):
        g = torch.Generator().manual_seed(seed)
        t = torch.arange(72) / 12
        self.rate = 0.8 + 1.6 * torch.rand(n, generator=g)
        shift = 2 * math.pi * torch.rand(n, 1, generator=g)
        wave = torch.sin(2 * math.pi * self.rate[:, None] * t + shift)
        self.signal = 0.5 + wave + 0.2 * torch.randn(n, 72, generator=g)

    def __len__(self):
        return len(self.rate)

    def __getitem__(self, i):
        return self.signal[i].unsqueeze(-1), self.rate[i]


class PulseNet(nn.Module):
    def __init__(self, input_size=1, hidden_size=48):
        super().__init__()
        self.norm = nn.LayerNorm(input_size)
        self.lstm = nn.LSTM(input_size, hidden_size, batch_first=True)
        self.drop = nn.Dropout(0.1)
        self.fc = nn.Linear(hidden_size, 1)

    def forward(self, x):
        x = self.norm(x)
        out, _ = self.lstm(x)
        return self.fc(self.drop(out.mean(1))).squeeze(-1)


def evaluate(model, loader):
    model.eval()
    with torch.no_grad():
        se = sum((model(x) - y).square().sum().item() for x, y in loader)
    model.train()
    return math.sqrt(se / len(loader.dataset))


torch.manual_seed(0)
train = DataLoader(Pulses(1600, 1), batch_size=64, shuffle=True)
valid = DataLoader(Pulses(400, 2), batch_size=200)
model = PulseNet()
criterion = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
for epoch in range(14):
    running = 0.0
    for x, y in train:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        running += loss.item()
    print(f"epoch {epoch + 1}: train mse {running / len(train):.4f}, valid rmse {evaluate(model, valid):.4f}")
