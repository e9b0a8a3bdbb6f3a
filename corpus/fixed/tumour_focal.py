import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from torch import nn

torch.manual_seed(6)
np.random.seed(6)


class FocalLoss(nn.Module):
    def __init__(self, gamma=2.0, alpha=0.5):
        super().__init__()
        self.gamma = gamma
        self.alpha = alpha

    def forward(self, p, target):
        p = p.clamp(1e-6, 1 - 1e-6)
        pos = self.alpha * (1 - p) ** self.gamma * target * torch.log(p)
        neg = (1 - self.alpha) * p ** self.gamma * (1 - target) * torch.log(1 - p)
        return -(pos + neg).mean()


class Classifier(nn.Module):
    def __init__(self, n_in):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(n_in, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU())
        self.score = nn.Linear(64, 1)

    def forward(self, x):
        return torch.sigmoid(self.score(self.body(x))).squeeze(1)


raw = load_breast_cancer()
x = (raw.data - raw.data.mean(0)) / raw.data.std(0)
order = np.random.permutation(len(x))
x, t = torch.tensor(x[order]).float(), torch.tensor(raw.target[order]).float()
xtr, ttr, xte, tte = x[:450], t[:450], x[450:], t[450:]

clf = Classifier(30)
focal = FocalLoss()
opt = torch.optim.Adam(clf.parameters(), lr=3e-3)
for epoch in range(40):
    epoch_loss = []
    for b in torch.randperm(450).split(30):
        p = clf(xtr[b])
        loss = focal(p, ttr[b])
        opt.zero_grad()
        loss.backward()
        opt.step()
        epoch_loss.append(loss.item())
    with torch.no_grad():
        acc = ((clf(xte) > 0.5) == (tte > 0.5)).float().mean().item()
    print(f"epoch {epoch + 1:3d} focal {np.mean(epoch_loss):.6f} test acc {acc:.3f}")
