"""Clean up noisy linear-light pictures; the error is measured as a screen would show it."""
import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
shown = torch.tensor(load_digits().images / 16).float().unsqueeze(1)


def to_linear(v):
    return torch.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


def to_screen(v):
    return torch.where(v <= 0.0031308, 12.92 * v, 1.055 * v ** (1 / 2.4) - 0.055)


class Residual(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, width, 3, padding=1))

    def forward(self, x):
        return x + self.body(x)


class Cleaner(nn.Module):
    def __init__(self, width=12):
        super().__init__()
        self.entry = nn.Conv2d(1, width, 3, padding=1)
        self.middle = Residual(width)
        self.exit = nn.Conv2d(width, 1, 3, padding=1)
        nn.init.constant_(self.exit.bias, 0.3)

    def forward(self, x):
        return self.exit(torch.relu(self.middle(torch.relu(self.entry(x)))))


light = to_linear(shown)
net = Cleaner()
optimizer = torch.optim.Adam(net.parameters(), lr=6e-3)
schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 8 * 47)
for epoch in range(8):
    total = 0.0
    for idx in torch.randperm(1500).split(32):
        clean = light[idx]
        noisy = clean + 0.15 * torch.randn_like(clean)
        loss = (to_screen(net(noisy)) - shown[idx]).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        total += loss.item()
    print(f"epoch {epoch} screen error {total / 47:.4f}")

with torch.no_grad():
    clean = light[1500:]
    noisy = clean + 0.15 * torch.randn_like(clean)
    before = (to_screen(noisy.clamp(min=0)) - shown[1500:]).abs().mean()
    after = (to_screen(net(noisy).clamp(min=0)) - shown[1500:]).abs().mean()
print(f"test screen error: noisy {before.item():.4f}, cleaned {after.item():.4f}")
