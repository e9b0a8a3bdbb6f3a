"""Prices in dollars."""
import torch
from torch import nn

torch.manual_seed(0)
n = 800
rooms = torch.randint(1, 8, (n, 1)).float()
area = torch.rand(n, 1) * 2 - 1
age = torch.rand(n, 1) * 2 - 1
X = torch.cat([(rooms - 4) / 2, area, age], 1)
price = 250_000 + 40_000 * (rooms - 4) + 90_000 * area - 20_000 * age + 10_000 * torch.randn(n, 1)

model = nn.Sequential(nn.Linear(3, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
mse = nn.MSELoss()
for epoch in range(30):
    for idx in torch.randperm(n).split(40):
        optimizer.zero_grad()
        loss = mse(model(X[idx]), price[idx])
        loss.backward()
        optimizer.step()
    if epoch < 3 or epoch % 5 == 0:
        print("epoch", epoch, "loss", loss.item())
