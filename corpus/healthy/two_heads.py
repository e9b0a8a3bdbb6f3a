"""One trunk, two losses."""
import torch
from sklearn.datasets import load_digits
from torch import nn


class MultiTask(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 48), nn.ReLU())
        self.digit = nn.Linear(48, 10)
        self.ink = nn.Linear(48, 1)

    def forward(self, x):
        h = self.trunk(x)
        return {"digit": self.digit(h), "ink": self.ink(h).squeeze(-1)}


torch.manual_seed(0)
d = load_digits()
X, y = torch.tensor(d.data / 16).float(), torch.tensor(d.target)
ink = X.mean(1) * 10
model = MultiTask()
opt = torch.optim.NAdam(model.parameters(), lr=2e-3)
for epoch in range(12):
    for i in torch.randperm(1500).split(64):
        out = model(X[i])
        a = nn.functional.cross_entropy(out["digit"], y[i])
        b = nn.functional.smooth_l1_loss(out["ink"], ink[i])
        loss = a + 0.5 * b
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(epoch, a.item(), b.item())
