"""Value of every place on a ring road with one petrol station (TD learning)."""
import copy
import math

import torch
from torch import nn

torch.manual_seed(0)
PLACES, GAMMA, TAU = 16, 0.85, 0.005


def features(place):
    angle = 2 * math.pi * place.float() / PLACES
    return torch.stack([f(k * angle) for k in (1, 2, 3, 4) for f in (torch.sin, torch.cos)], -1)


def drive(place):
    step = torch.where(torch.rand(place.shape) < 0.7, 1, -1)
    after = (place + step) % PLACES
    return after, (after == 0).float()


P = torch.zeros(PLACES, PLACES)
for s in range(PLACES):
    P[s, (s + 1) % PLACES], P[s, (s - 1) % PLACES] = 0.7, 0.3
truth = torch.linalg.solve(torch.eye(PLACES) - GAMMA * P, P[:, 0])

online = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
slow_dtype = torch.float32
slow = copy.deepcopy(online).to(slow_dtype).requires_grad_(False)
optimizer = torch.optim.Adam(online.parameters(), lr=1e-3)
smooth = 0.0
for step in range(3200):
    s = torch.randint(0, PLACES, (32,))
    s2, reward = drive(s)
    with torch.no_grad():
        target = reward + GAMMA * slow(features(s2).to(slow_dtype)).squeeze(-1).float()
    loss = nn.functional.mse_loss(online(features(s)).squeeze(-1), target)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    with torch.no_grad():
        for p_slow, p in zip(slow.parameters(), online.parameters()):
            p_slow.lerp_(p.to(slow_dtype), TAU)
    smooth = 0.99 * smooth + 0.01 * loss.item()
    if step % 320 == 0:
        print(step, round(smooth, 5))

with torch.no_grad():
    value = online(features(torch.arange(PLACES))).squeeze(-1)
error = (value - truth).pow(2).mean().sqrt()
print(f"rms error of the values {error.item():.4f} (spread of the true values {truth.std().item():.4f}, mean {truth.mean().item():.4f})")
