"""Friedman's regression problem with stochastic weight averaging over the last third."""
import torch
from sklearn.datasets import make_friedman1
from torch import nn
from torch.optim.swa_utils import SWALR, AveragedModel

torch.manual_seed(0)
X, y = make_friedman1(n_samples=3000, n_features=10, noise=0.3, random_state=0)
X, y = torch.tensor(X).float() * 2 - 1, torch.tensor(y).float()
y = (y - y[:2000].mean()) / y[:2000].std()
X_train, y_train, X_test, y_test = X[:2000], y[:2000], X[2000:], y[2000:]

model = nn.Sequential(
    nn.Linear(10, 96), nn.Tanh(),
    nn.Linear(96, 96), nn.Tanh(),
    nn.Linear(96, 96), nn.Tanh(),
    nn.Linear(96, 1), nn.Flatten(0),
)
epochs, swa_start = 30, 20
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=40)
swa_model = AveragedModel(model)
swa_scheduler = SWALR(optimizer, swa_lr=0.001, anneal_epochs=3)

for epoch in range(epochs):
    running = 0.0
    for idx in torch.randperm(2000).split(50):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(X_train[idx]), y_train[idx])
        loss.backward()
        optimizer.step()
        running += loss.item() / 40
    if epoch >= swa_start:
        swa_model.update_parameters(model)
        swa_scheduler.step()
    else:
        scheduler.step()
    if epoch % 3 == 0 or epoch == epochs - 1:
        print(f"epoch {epoch:2d} lr {optimizer.param_groups[0]['lr']:.4f} train mse {running:.4f}")

with torch.no_grad():
    for name, net in (("last", model), ("averaged", swa_model)):
        print(f"{name}: held-out mse {nn.functional.mse_loss(net(X_test), y_test).item():.4f} of variance 1")
