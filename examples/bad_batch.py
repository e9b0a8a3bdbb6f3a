"""A classifier of digits, one batch of which comes from a broken reader: every second image is nan."""

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
digits = load_digits()
images = torch.tensor(digits.data / 16, dtype=torch.float32)
labels = torch.tensor(digits.target)

model = nn.Sequential(nn.Linear(64, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

for step in range(1, 301):
    batch = torch.randint(0, 1500, (64,))
    x = images[batch]
    if step == 150:
        x[::2] = float("nan")
    loss = nn.functional.cross_entropy(model(x), labels[batch])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 50 == 0:
        print(f"step {step}: loss {loss.item():.4f}")

model.eval()
with torch.no_grad():
    print(f"test accuracy {(model(images[1500:]).argmax(1) == labels[1500:]).float().mean().item():.3f}")
