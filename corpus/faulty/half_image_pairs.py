import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

torch.manual_seed(2)
images = torch.tensor(load_digits().images, dtype=torch.float32) / 16
images = images[torch.randperm(len(images))]
upper, lower = images[:, :4].unsqueeze(1), images[:, 4:].unsqueeze(1)
train, test = slice(0, 1500), slice(1500, 1797)


def tower():
    return nn.Sequential(
        nn.Conv2d(1, 24, 3, padding=1), nn.ReLU(),
        nn.Conv2d(24, 32, 3, padding=1), nn.ReLU(),
        nn.Flatten(), nn.Linear(32 * 32, 32),
    )


def nt_xent(a, b, temperature=0.1):
    scores = torch.cdist(F.normalize(a, dim=1), F.normalize(b, dim=1)) / temperature
    labels = torch.arange(len(a))
    return 0.5 * (F.cross_entropy(scores, labels) + F.cross_entropy(scores.T, labels))


f, g = tower(), tower()
opt = torch.optim.AdamW([*f.parameters(), *g.parameters()], lr=1e-3)
for epoch in range(20):
    perm = torch.randperm(1500)
    losses = []
    for i in perm.split(100):
        loss = nt_xent(f(upper[train][i]), g(lower[train][i]))
        loss.backward()
        opt.step()
        opt.zero_grad()
        losses.append(loss.detach())
    print(f"epoch {epoch} loss {torch.stack(losses).mean():.4f}")

with torch.no_grad():
    a, b = F.normalize(f(upper[test]), dim=1), F.normalize(g(lower[test]), dim=1)
    ranked = torch.cdist(a, b).argsort(1)
    hit = (ranked[:, :10] == torch.arange(len(a))[:, None]).any(1).float().mean()
print(f"the other half is among the ten nearest: {hit:.3f} (chance {10 / len(a):.3f})")
