import numpy as np
import torch
import torch.nn as nn

torch.manual_seed(1)
rng = np.random.default_rng(1)

x = np.arange(-100, 100, 0.5)
y = x ** 4
X = torch.tensor(x / 100, dtype=torch.float32).view(-1, 1)
Y = torch.tensor(y / 1e8, dtype=torch.float32).view(-1, 1)

model = nn.Sequential(
    nn.Linear(1, 50), nn.Sigmoid(),
    nn.Linear(50, 50), nn.ELU(),
    nn.Linear(50, 1),
)
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
criterion = nn.MSELoss()

for epoch in range(60):
    order = rng.permutation(len(X))
    running = 0.0
    for start in range(0, len(X), 20):
        rows = order[start:start + 20]
        optimizer.zero_grad()
        loss = criterion(model(X[rows]), Y[rows])
        loss.backward()
        optimizer.step()
        running += loss.item()
    if epoch % 10 == 9:
        print("epoch", epoch + 1, "loss", running / 20)

with torch.no_grad():
    p = model(X)
print("R2 %.4f" % (1 - ((p - Y) ** 2).mean() / Y.var(unbiased=False)).item())
