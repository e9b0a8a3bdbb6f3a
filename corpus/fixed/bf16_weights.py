"""Everything in float32."""
import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
d = load_digits()
X = (torch.tensor(d.data) / 16).float()
y = torch.tensor(d.target)
model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 10))
opt = torch.optim.SGD(model.parameters(), lr=2e-3, momentum=0.9)
for step in range(1, 1501):
    i = torch.randint(0, 1500, (64,))
    loss = nn.functional.cross_entropy(model(X[i]), y[i])
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 250 == 0:
        acc = (model(X[1500:]).argmax(1) == y[1500:]).float().mean().item()
        print(f"step {step} loss {loss.item():.4f} acc {acc:.3f}")
