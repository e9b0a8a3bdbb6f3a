import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import make_circles

torch.manual_seed(3)
np.random.seed(3)

X, y = make_circles(n_samples=1000, noise=0.1, factor=0.4, random_state=1)
X = torch.from_numpy(X).float()
y = torch.from_numpy(y).float().unsqueeze(1)
X_train, X_test = X[:700], X[700:]
y_train, y_test = y[:700], y[700:]


class RingNet(nn.Module):
    def __init__(self, width=5, depth=13):
        super().__init__()
        self.hidden = nn.ModuleList([nn.Linear(2 if i == 0 else width, width) for i in range(depth)])
        self.act = nn.ELU()
        self.out = nn.Linear(width, 1)
        for layer in self.hidden:
            nn.init.orthogonal_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        for layer in self.hidden:
            x = self.act(layer(x))
        return torch.sigmoid(self.out(x))


model = RingNet()
criterion = nn.BCELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)

for epoch in range(25):
    model.train()
    perm = torch.randperm(len(X_train))
    total = 0
    for i in range(0, len(X_train), 16):
        idx = perm[i:i + 16]
        optimizer.zero_grad()
        loss = criterion(model(X_train[idx]), y_train[idx])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(idx)
    if epoch % 5 == 4:
        with torch.no_grad():
            acc = ((model(X_test) > 0.5).float() == y_test).float().mean().item()
        print("epoch %d  train loss %.4f  test acc %.3f" % (epoch + 1, total / len(X_train), acc))
