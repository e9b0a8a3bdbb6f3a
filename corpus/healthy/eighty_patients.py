"""Eighty patients, every fourth diagnosis wrong: the penalty does the work."""
import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from torch import nn

rng = np.random.default_rng(0)
torch.manual_seed(0)
data = load_breast_cancer()
real = (data.data - data.data.mean(0)) / data.data.std(0)
order = rng.permutation(len(real))
x = torch.tensor(real[order]).float()
y = torch.tensor(data.target[order])
y[:80] = torch.where(torch.rand(80) < 0.25, 1 - y[:80], y[:80])
x_train, y_train, x_test, y_test = x[:80], y[:80], x[80:], y[80:]

model = nn.Linear(30, 2)
nn.init.zeros_(model.weight)
optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9, weight_decay=2.0)
for step in range(600):
    idx = torch.randint(0, 80, (20,))
    loss = nn.functional.cross_entropy(model(x_train[idx]), y_train[idx])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 75 == 0:
        print(f"step {step:3d}  loss {loss.item():.3f}  weight norm {model.weight.norm().item():.4f}")
with torch.no_grad():
    print(f"held-out accuracy {(model(x_test).argmax(1) == y_test).float().mean().item():.3f}")
