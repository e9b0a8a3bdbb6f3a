"""Batch size 2, noisy labels, plain SGD."""
import torch
from sklearn.datasets import load_breast_cancer
from torch import nn

torch.manual_seed(0)
c = load_breast_cancer()
X = torch.tensor((c.data - c.data.mean(0)) / c.data.std(0), dtype=torch.float32)
y = torch.tensor(c.target, dtype=torch.float32)
noisy = torch.where(torch.rand(len(y)) < 0.08, 1 - y, y)
net = nn.Sequential(nn.Linear(30, 16), nn.ReLU(), nn.Linear(16, 1))
opt = torch.optim.SGD(net.parameters(), lr=0.01)
running = 0.69
for step in range(2500):
    i = torch.randint(len(X), (2,))
    loss = nn.functional.binary_cross_entropy_with_logits(net(X[i]).squeeze(1), noisy[i])
    opt.zero_grad()
    loss.backward()
    opt.step()
    running = 0.99 * running + 0.01 * loss.item()
    if step % 500 == 499:
        print(step + 1, running, ((net(X).squeeze(1) > 0).float() == y).float().mean().item())
