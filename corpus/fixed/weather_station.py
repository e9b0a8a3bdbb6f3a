import numpy as np
import torch
import torch.nn as nn

rng = np.random.default_rng(14)
torch.manual_seed(14)

# hourly readings: pressure in Pa, altitude in m, temperature in C, relative humidity 0..1, wind m/s
n = 2000
pressure = rng.normal(101325, 900, n)
altitude = rng.uniform(0, 1800, n)
temperature = rng.normal(12, 8, n)
humidity = rng.beta(5, 2.5, n)
wind = rng.gamma(2.0, 2.0, n)
score = -(pressure - 101325) / 900 + 9 * (humidity - 0.67) + 0.4 * (wind - 4) * np.tanh((temperature - 12) / 8)
rain = (score + rng.logistic(0, 0.3, n) > 0).astype("float32")
table = np.stack([pressure, altitude, temperature, humidity, wind], 1).astype("float32")

X = torch.from_numpy((table - table.mean(0)) / table.std(0))
y = torch.from_numpy(rain).unsqueeze(1)
X_train, y_train, X_val, y_val = X[:1600], y[:1600], X[1600:], y[1600:]


class Rain(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden1 = nn.Linear(5, 32)
        self.hidden2 = nn.Linear(32, 32)
        self.output = nn.Linear(32, 1)
        self.act = nn.Tanh()

    def forward(self, x):
        x = self.act(self.hidden1(x))
        x = self.act(self.hidden2(x))
        return self.output(x)


model = Rain()
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
for epoch in range(20):
    perm = torch.randperm(len(X_train))
    for k in range(0, len(X_train), 50):
        sel = perm[k:k + 50]
        loss = criterion(model(X_train[sel]), y_train[sel])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        out = model(X_val)
        val = criterion(out, y_val).item()
        hit = ((out > 0).float() == y_val).float().mean().item()
    print(f"epoch {epoch + 1} train {loss.item():.4f} val {val:.4f} accuracy {hit:.3f}")
