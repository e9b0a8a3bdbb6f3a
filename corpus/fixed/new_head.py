import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits


class ConvBase(nn.Module):
    def __init__(self, n_classes=1000):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(),
        )
        self.classifier = nn.Linear(64, n_classes)

    def forward(self, x):
        return self.classifier(self.features(x))


torch.manual_seed(8)
net = ConvBase()
net.classifier = nn.Linear(64, 10)  # ten classes here
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)

ds = load_digits()
imgs = torch.tensor(ds.images / 16).float()[:, None]
labels = torch.tensor(ds.target)
for it in range(300):
    sel = torch.randint(0, 1797, (64,))
    loss = F.cross_entropy(net(imgs[sel]), labels[sel])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if it % 50 == 0:
        print(f"it {it} loss {loss:.4f}")
