"""Read the angle of a clock hand, as a distribution over 180 bins (label distribution learning)."""
import math

import torch
from torch import nn

BINS, SIDE = 180, 16


def draw(n, gen):
    angle = 2 * math.pi * torch.rand(n, generator=gen)
    axis = torch.linspace(-1, 1, SIDE)
    yy, xx = torch.meshgrid(axis, axis, indexing="ij")
    cos, sin = angle.cos().view(-1, 1, 1), angle.sin().view(-1, 1, 1)
    along, across = xx * cos + yy * sin, yy * cos - xx * sin
    hand = torch.exp(-(across / 0.15) ** 2) * torch.sigmoid(20 * along) * torch.sigmoid(20 * (0.8 - along))
    image = hand + 0.1 * torch.randn(n, SIDE, SIDE, generator=gen)
    return image.unsqueeze(1), angle


def soft_label(angle, width=2 * math.pi / 60):
    centres = 2 * math.pi * torch.arange(BINS) / BINS
    gap = torch.remainder(angle[:, None] - centres + math.pi, 2 * math.pi) - math.pi
    return torch.softmax(-0.5 * (gap / width) ** 2, dim=1)


def read(logits):
    centres = 2 * math.pi * torch.arange(BINS) / BINS
    p = logits.softmax(1)
    return torch.atan2(p @ centres.sin(), p @ centres.cos())


gen = torch.Generator().manual_seed(1)
torch.manual_seed(0)
x, angle = draw(3000, gen)
x_test, angle_test = draw(500, gen)
y = soft_label(angle)
net = nn.Sequential(
    nn.Conv2d(1, 12, 3, stride=2, padding=1), nn.ReLU(),
    nn.Conv2d(12, 24, 3, stride=2, padding=1), nn.ReLU(),
    nn.Flatten(), nn.Linear(24 * 16, 96), nn.ReLU(), nn.Linear(96, BINS),
)
criterion = nn.KLDivLoss(reduction="batchmean")
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, nesterov=True)
for epoch in range(25):
    for idx in torch.randperm(len(x)).split(100):
        loss = criterion(net(x[idx]).log_softmax(1), y[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if epoch % 4 == 0:
        print(f"epoch {epoch:2d}  divergence {loss.item():.5f}")
with torch.no_grad():
    gap = torch.remainder(read(net(x_test)) - angle_test + math.pi, 2 * math.pi) - math.pi
print(f"held-out error {gap.abs().mean().item() * 180 / math.pi:.2f} degrees")
