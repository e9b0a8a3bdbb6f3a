"""Tumour screening: as few false alarms as possible while hardly any malignant case is missed."""
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.nn.functional import softplus

data = load_breast_cancer()
xa, xb, ya, yb = train_test_split(data.data, data.target, test_size=0.3, random_state=1, stratify=data.target)
scaler = StandardScaler().fit(xa)
xa, xb = (torch.tensor(scaler.transform(v), dtype=torch.float32) for v in (xa, xb))
ya, yb = torch.tensor(ya == 0), torch.tensor(yb == 0)


class Screen(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(30, 24), nn.Tanh(), nn.Dropout(0.3))
        self.score = nn.Linear(24, 1)

    def forward(self, x):
        return self.score(self.body(x)).squeeze(-1)


class Multiplier(nn.Module):
    def __init__(self):
        super().__init__()
        self.raw = nn.Parameter(torch.tensor(0.0))

    def forward(self):
        return softplus(self.raw)


torch.manual_seed(1)
model, price = Screen(), Multiplier()
descent = torch.optim.Adam(model.parameters(), lr=3e-3, weight_decay=1e-2)
ascent = torch.optim.SGD(price.parameters(), lr=0.5, maximize=True)
budget = 0.02
for step in range(1, 401):
    i = torch.randint(len(xa), (96,))
    out, sick = model(xa[i]), ya[i]
    alarms = softplus(out[~sick]).mean()
    misses = softplus(-out[sick]).mean()
    lagrangian = alarms + price() * (misses - budget)
    descent.zero_grad()
    ascent.zero_grad()
    lagrangian.backward()
    descent.step()
    ascent.step()
    if step % 50 == 0:
        print(f"step {step} lagrangian {lagrangian.item():.4f} misses {misses.item():.4f} price {price().item():.3f}")

model.eval()
with torch.no_grad():
    flagged = model(xb) > 0
print(f"held-out recall {flagged[yb].float().mean():.3f}, false alarm rate {flagged[~yb].float().mean():.3f}")
