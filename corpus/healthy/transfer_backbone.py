import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(1)
np.random.seed(1)


class Backbone(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv2d(1, 16, 3, padding=1)
        self.c2 = nn.Conv2d(16, 32, 3, padding=1)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.c1(x)), 2)
        return F.max_pool2d(F.relu(self.c2(x)), 2).flatten(1)


class Classifier(nn.Module):
    def __init__(self, backbone, n_out):
        super().__init__()
        self.backbone = backbone
        self.head = nn.Linear(128, n_out)

    def forward(self, x):
        return self.head(self.backbone(x))


def loader(mask, shift):
    imgs = torch.tensor(d.images[mask] / 8 - 1).float().unsqueeze(1)
    labs = torch.tensor(d.target[mask] - shift)
    return DataLoader(TensorDataset(imgs, labs), batch_size=32, shuffle=True)


d = load_digits()
low, high = d.target < 5, d.target >= 5

source = Classifier(Backbone(), 5)
opt = torch.optim.Adam(source.parameters(), lr=2e-3)
for epoch in range(4):
    for xb, yb in loader(low, 0):
        opt.zero_grad()
        loss = F.cross_entropy(source(xb), yb)
        loss.backward()
        opt.step()
    print("source", epoch, loss.item())

backbone = source.backbone
for p in backbone.parameters():
    p.requires_grad_(False)
model = Classifier(backbone, 5)
opt = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
for epoch in range(12):
    right = seen = 0
    for xb, yb in loader(high, 5):
        opt.zero_grad()
        out = model(xb)
        loss = F.cross_entropy(out, yb)
        loss.backward()
        opt.step()
        right += (out.argmax(1) == yb).sum().item()
        seen += len(yb)
    print("target", epoch, "loss", round(loss.item(), 4), "train acc", round(right / seen, 4))
