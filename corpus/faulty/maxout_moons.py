import torch
from sklearn.datasets import make_moons
from torch import nn


class Maxout(nn.Module):
    def __init__(self, d_in, d_out, pieces=4):
        super().__init__()
        base = torch.randn(d_in, d_out) / d_in ** 0.5
        self.weight = nn.Parameter(base.expand(pieces, d_in, d_out).clone())
        self.bias = nn.Parameter(torch.zeros(pieces, 1, d_out))

    def forward(self, x):
        return (x @ self.weight + self.bias).amax(dim=0)


torch.manual_seed(4)
X, y = make_moons(2000, noise=0.1, random_state=0)
X = torch.tensor(X, dtype=torch.float32)
y = torch.tensor(y, dtype=torch.float32)
Xt, yt, X, y = X[1500:], y[1500:], X[:1500], y[:1500]

model = nn.Sequential(Maxout(2, 16), Maxout(16, 16), nn.Linear(16, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True)
loss_fn = nn.BCEWithLogitsLoss()

for epoch in range(40):
    order = torch.randperm(len(X))
    for start in range(0, len(X), 50):
        pick = order[start:start + 50]
        loss = loss_fn(model(X[pick])[:, 0], y[pick])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if (epoch + 1) % 8 == 0:
        with torch.no_grad():
            print(epoch + 1, "train loss", loss_fn(model(X)[:, 0], y).item())

with torch.no_grad():
    print("error rate on unseen points:", 1 - ((model(Xt)[:, 0] > 0) == (yt > 0.5)).float().mean().item())
