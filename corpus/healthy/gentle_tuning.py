"""Pretrain on upright digits, then tune every weight very gently to a scanner that adds a slant."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

torch.manual_seed(0)
d = load_digits()
images, labels = torch.tensor(d.images).float().unsqueeze(1) / 16, torch.tensor(d.target)
perm = torch.randperm(len(labels))
pre, tune, test = perm[:900], perm[900:1300], perm[1300:]
shear = torch.tensor([[[1.0, 0.55, 0.1], [0.0, 0.9, 0.0]]])
grid = F.affine_grid(shear.expand(len(images), 2, 3), list(images.shape), align_corners=False)
slanted = F.grid_sample(images, grid, align_corners=False)

net = nn.Sequential(
    nn.Conv2d(1, 16, 3, padding=1), nn.GELU(),
    nn.Conv2d(16, 24, 3, stride=2, padding=1), nn.GELU(), nn.Flatten(),
    nn.Linear(24 * 16, 64), nn.GELU(), nn.Linear(64, 10),
)


def fit(data, rows, lr, steps, batch):
    opt = torch.optim.AdamW(net.parameters(), lr=lr, weight_decay=0.01)
    for step in range(steps):
        idx = rows[torch.randint(0, len(rows), (batch,))]
        loss = F.cross_entropy(net(data[idx]), labels[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        if step % (steps // 6) == 0:
            print(f"  lr {lr:g} step {step} loss {loss.item():.4f}")


@torch.no_grad()
def accuracy(data):
    return (net(data[test]).argmax(1) == labels[test]).float().mean().item()


fit(images, pre, 2e-3, 250, 64)
print(f"upright {accuracy(images):.3f} slanted {accuracy(slanted):.3f}")
fit(slanted, tune, 5e-5, 1300, 64)
print(f"after tuning: slanted {accuracy(slanted):.3f}")
