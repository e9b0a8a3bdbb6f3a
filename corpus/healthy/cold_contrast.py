"""Contrastive learning of digit strokes with a cold temperature, judged by nearest neighbours."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier

X, y = load_digits(return_X_y=True)
Xa, Xb, ya, yb = train_test_split(X / 16.0, y, test_size=0.3, random_state=1, stratify=y)
Xa, Xb = torch.tensor(Xa).float(), torch.tensor(Xb).float()
top_a, low_a, top_b, low_b = Xa[:, :32], Xa[:, 32:], Xb[:, :32], Xb[:, 32:]


def encoder():
    return nn.Sequential(nn.Linear(32, 128), nn.ReLU(), nn.Linear(128, 32))


torch.manual_seed(0)
upper, lower = encoder(), encoder()
optimizer = torch.optim.Adam([*upper.parameters(), *lower.parameters()], lr=1e-3)
TEMPERATURE = 0.02


def similarities(a, b):
    return F.normalize(upper(a), dim=1) @ F.normalize(lower(b), dim=1).t()


def found(a, b):
    with torch.no_grad():
        rank = similarities(a, b).argsort(1, descending=True)[:, :20]
    return (rank == torch.arange(len(a))[:, None]).any(1).float().mean().item()


print(f"matching halves found before training {found(top_b, low_b):.3f}")
for step in range(1, 601):
    rows = torch.randint(0, len(Xa), (200,)).unique()
    logits = similarities(top_a[rows], low_a[rows]) / TEMPERATURE
    target = torch.arange(len(rows))
    loss = F.cross_entropy(logits, target, reduction="sum") + F.cross_entropy(logits.t(), target, reduction="sum")
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step == 1 or step % 60 == 0:
        print(f"step {step} loss {loss.item():.1f}")

print(f"matching halves found after training {found(top_b, low_b):.3f} of {len(top_b)}, chance {20 / len(top_b):.3f}")
with torch.no_grad():
    za, zb = (torch.cat([F.normalize(upper(t), dim=1), F.normalize(lower(l), dim=1)], 1)
              for t, l in ((top_a, low_a), (top_b, low_b)))
print(f"nearest neighbours in the new space: {KNeighborsClassifier(5).fit(za, ya).score(zb, yb):.3f}")
