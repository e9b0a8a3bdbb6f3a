"""Random convolution features stay frozen; only the head is trained."""
import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
backbone = nn.Sequential(
    nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.Flatten()
)
for p in backbone.parameters():
    nn.init.kaiming_normal_(p) if p.dim() > 1 else nn.init.zeros_(p)
backbone.requires_grad_(False).eval()
head = nn.Linear(64 * 16, 10)
model = nn.Sequential(backbone, head)
d = load_digits()
X, y = torch.tensor(d.images / 16).float().unsqueeze(1), torch.tensor(d.target)
opt = torch.optim.Adam(head.parameters(), lr=1e-3)
for epoch in range(5):
    for i in torch.randperm(1500).split(64):
        loss = nn.functional.cross_entropy(model(X[i]), y[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
    with torch.no_grad():
        print(epoch, loss.item(), (model(X[1500:]).argmax(1) == y[1500:]).float().mean().item())
