"""LBFGS, whose step calls a closure many times."""

import torch
from sklearn.datasets import load_diabetes
from torch import nn

torch.manual_seed(0)
data = load_diabetes(scaled=True)
x = torch.tensor(data.data * 21, dtype=torch.float64)
y = torch.tensor((data.target - data.target.mean()) / data.target.std(), dtype=torch.float64).unsqueeze(1)

model = nn.Sequential(nn.Linear(10, 16), nn.Tanh(), nn.Linear(16, 1)).double()
optimizer = torch.optim.LBFGS(model.parameters(), lr=0.5, max_iter=10, history_size=20)

for epoch in range(1, 21):

    def closure():
        optimizer.zero_grad()
        penalty = sum((p**2).sum() for p in model.parameters())
        loss = nn.functional.mse_loss(model(x), y) + 1e-3 * penalty
        loss.backward()
        return loss

    loss = optimizer.step(closure)
    if epoch % 5 == 0:
        print(f"epoch {epoch}: loss {loss.item()}")
