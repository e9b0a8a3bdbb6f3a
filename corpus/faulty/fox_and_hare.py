"""Fit the rates of a predator-prey model, and a small correction network, to a noisy census."""
import torch
from torch import nn


def rates(z, theta):
    hare, fox = z.unbind(-1)
    a, b, c, d = theta
    return torch.stack([hare * (a - b * fox), fox * (c * hare - d)], -1)


def rk4(f, z, dt):
    k1 = f(z)
    k2 = f(z + dt / 2 * k1)
    k3 = f(z + dt / 2 * k2)
    k4 = f(z + dt * k3)
    return z + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def rollout(f, z, steps, dt=0.1):
    path = [z]
    for _ in range(steps):
        path.append(rk4(f, path[-1], dt))
    return torch.stack(path, 1)


class Ecology(nn.Module):
    def __init__(self):
        super().__init__()
        self.theta = nn.Parameter(torch.full((4,), 0.5))
        self.extra = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 2))
        nn.init.zeros_(self.extra[2].weight)
        nn.init.zeros_(self.extra[2].bias)

    def forward(self, z):
        return rates(z, self.theta) + 0.1 * self.extra(z)


torch.manual_seed(0)
truth = torch.tensor([1.1, 0.8, 0.6, 0.9])
with torch.no_grad():
    start = 0.5 + 2 * torch.rand(48, 2)
    clean = rollout(lambda z: rates(z, truth), start, 60)
census = clean + 0.03 * torch.randn_like(clean)
train, test = census[:32], clean[32:]
windows = train.unfold(1, 11, 5).permute(0, 1, 3, 2).reshape(-1, 11, 2)

model = Ecology()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2, weight_decay=0.03)
for step in range(300):
    batch = windows[torch.randint(0, len(windows), (64,))]
    loss = ((rollout(model, batch[:, 0], 10) - batch) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 50 == 0:
        print(f"step {step:3d}  loss {loss.item():.5f}  rates {[round(v, 3) for v in model.theta.tolist()]}")
with torch.no_grad():
    error = ((rollout(model, test[:, 0], 30) - test[:, :31]) ** 2).mean().sqrt()
print(f"held-out rollout rmse {error.item():.4f}  (spread of the data {test.std().item():.3f})")
