import numpy as np
import torch
from torch import nn
from sklearn.datasets import load_breast_cancer

np.random.seed(0)
torch.manual_seed(0)

bunch = load_breast_cancer()
order = np.random.permutation(len(bunch.target))
X = torch.tensor(bunch.data[order], dtype=torch.float32)
y = torch.tensor(bunch.target[order], dtype=torch.float32)
Xtr, ytr = X[:450], y[:450]
Xte, yte = X[450:], y[450:]


class Net(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(d, 32), nn.Tanh(), nn.Linear(32, 16), nn.Tanh())
        self.out = nn.Linear(16, 1)

    def forward(self, x):
        return self.out(self.body(x)).squeeze(1)


model = Net(X.shape[1])
bce = nn.BCEWithLogitsLoss()
sgd = torch.optim.SGD(model.parameters(), lr=0.1)

for epoch in range(40):
    for i in torch.randperm(len(Xtr)).split(30):
        sgd.zero_grad()
        loss = bce(model(Xtr[i]), ytr[i])
        loss.backward()
        sgd.step()
    if epoch % 5 == 4:
        with torch.no_grad():
            out = model(Xte)
        print(f"{epoch + 1:3d} train {bce(model(Xtr), ytr).item():.4f} test {bce(out, yte).item():.4f} "
              f"acc {((out > 0).float() == yte).float().mean().item():.3f}")
