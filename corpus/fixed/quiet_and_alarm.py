"""Detector trained with one stream of quiet samples and one stream of alarming ones."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

data = load_breast_cancer()
Xa, Xb, ya, yb = train_test_split(data.data, data.target, test_size=0.3, random_state=0, stratify=data.target)
scaler = StandardScaler().fit(Xa)
Xa, Xb = (torch.tensor(scaler.transform(X), dtype=torch.float32) for X in (Xa, Xb))
quiet, alarm = Xa[ya == 1], Xa[ya == 0]
truth = torch.tensor(1 - yb)


class Detector(nn.Module):
    def __init__(self, width=48):
        super().__init__()
        self.fc1 = nn.Linear(30, width, bias=False)
        self.bn1 = nn.BatchNorm1d(width)
        self.fc2 = nn.Linear(width, width, bias=False)
        self.bn2 = nn.BatchNorm1d(width)
        self.out = nn.Linear(width, 1)

    def forward(self, x):
        x = F.leaky_relu(self.bn1(self.fc1(x)), 0.2)
        x = F.leaky_relu(self.bn2(self.fc2(x)), 0.2)
        return self.out(x).squeeze(-1)


torch.manual_seed(0)
detector = Detector()
optimizer = torch.optim.Adam(detector.parameters(), lr=5e-4, betas=(0.5, 0.999))
for step in range(1, 601):
    calm = quiet[torch.randint(0, len(quiet), (32,))]
    loud = alarm[torch.randint(0, len(alarm), (32,))]
    both = detector(torch.cat([calm, loud]))
    on_calm, on_loud = both[:32], both[32:]
    loss = F.binary_cross_entropy_with_logits(on_calm, torch.zeros(32)) \
        + F.binary_cross_entropy_with_logits(on_loud, torch.ones(32))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 100 == 0:
        print(f"{step} loss {loss.item():.4f}")

detector.eval()
with torch.no_grad():
    called = (detector(Xb) > 0).long()
recall = [(called[truth == k] == k).float().mean().item() for k in (0, 1)]
print(f"held-out: quiet {recall[0]:.3f}, alarm {recall[1]:.3f}, balanced accuracy {sum(recall) / 2:.3f}")
