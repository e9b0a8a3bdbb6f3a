import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

rng = np.random.default_rng(40)
torch.manual_seed(40)


class DenseBlock(nn.Module):
    def __init__(self, channels, growth, layers):
        super().__init__()
        self.convs = nn.ModuleList(
            nn.Sequential(nn.BatchNorm2d(channels + k * growth), nn.ReLU(), nn.Conv2d(channels + k * growth, growth, 3, padding=1))
            for k in range(layers)
        )

    def forward(self, x):
        feats = [x]
        for c in self.convs:
            feats.append(c(torch.cat(feats, 1)))
        return torch.cat(feats, 1)


model = nn.Sequential(
    nn.Conv2d(1, 8, 3, padding=1),
    DenseBlock(8, 6, 3),
    nn.Conv2d(26, 16, 1),
    nn.AvgPool2d(2),
    DenseBlock(16, 6, 3),
    nn.BatchNorm2d(34),
    nn.ReLU(),
    nn.AdaptiveAvgPool2d(2),
    nn.Flatten(),
    nn.Linear(136, 10),
)
d = load_digits()
x = torch.tensor(d.images / 16.0).float().unsqueeze(1)
y = torch.tensor(d.target)
opt = torch.optim.Adadelta(model.parameters(), lr=1.0)
ce = nn.CrossEntropyLoss()

for epoch in range(10):
    model.train()
    tot, n = 0.0, 0
    for i in torch.randperm(1440).split(60):
        lam = rng.beta(1.0, 1.0)
        j = i[torch.randperm(len(i))]
        out = model(lam * x[i] + (1 - lam) * x[j])
        loss = lam * ce(out, y[i]) + (1 - lam) * ce(out, y[j])
        opt.zero_grad()
        loss.backward()
        opt.step()
        tot, n = tot + loss.item(), n + 1
    model.eval()
    with torch.no_grad():
        acc = (model(x[1440:]).argmax(1) == y[1440:]).float().mean().item()
    print(f"[{epoch}] mixup loss {tot / n:.3f}  clean test accuracy {acc:.3f}")
