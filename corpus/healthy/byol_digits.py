import copy

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier

torch.manual_seed(36)
d = load_digits()
images = torch.tensor(d.images / 16).float().unsqueeze(1)
grid = torch.linspace(-1, 1, 8)


def augment(x):
    # a slanted background of random direction and strength, and some noise
    slope = torch.randn(len(x), 3, 1, 1) * 1.2
    background = slope[:, :1] * grid[:, None] + slope[:, 1:2] * grid + slope[:, 2:]
    return x + background + 0.1 * torch.randn_like(x)


online = nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, 32))
predictor = nn.Sequential(nn.Linear(32, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 32))
target = copy.deepcopy(online).requires_grad_(False)
opt = torch.optim.AdamW([*online.parameters(), *predictor.parameters()], lr=2e-3, weight_decay=1e-4)


def half(a, b):
    with torch.no_grad():
        t = F.normalize(target(b), dim=1)
    p = F.normalize(predictor(online(a)), dim=1)
    return 2 - 2 * (p * t).sum(1).mean()


def probe():
    online.eval()
    with torch.no_grad():
        z = F.normalize(online(augment(images)), dim=1)
    online.train()
    knn = KNeighborsClassifier(5).fit(z[:1200], d.target[:1200])
    return knn.score(z[1200:], d.target[1200:]), z.std(0).mean().item()


print("before: nearest neighbours %.3f, spread %.3f" % probe())
for step in range(500):
    x = images[torch.randint(1200, (128,))]
    a, b = augment(x), augment(x)
    loss = half(a, b) + half(b, a)
    opt.zero_grad()
    loss.backward()
    opt.step()
    with torch.no_grad():
        for po, pt in zip(online.parameters(), target.parameters()):
            pt.lerp_(po, 0.02)
    if step % 50 == 0:
        print(step, loss.item())
acc, spread = probe()
print("nearest neighbours", acc, "spread per dimension", spread, "of", 32**-0.5)
