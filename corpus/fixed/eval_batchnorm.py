"""Deep batch-norm MLP."""
import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
d = load_digits()
X = torch.tensor(d.data / 16, dtype=torch.float32)
y = torch.tensor(d.target)

layers, w = [], 64
for _ in range(22):
    layers += [nn.Linear(w, 80, bias=False), nn.BatchNorm1d(80), nn.ReLU()]
    w = 80
net = nn.Sequential(*layers, nn.Linear(80, 10))


def accuracy():
    net.eval()
    with torch.no_grad():
        return (net(X[1500:]).argmax(1) == y[1500:]).float().mean().item()


print("before", accuracy())
opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
for epoch in range(16):
    net.train()
    for idx in torch.randperm(1500).split(64):
        loss = nn.functional.cross_entropy(net(X[idx]), y[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(f"epoch {epoch + 1} loss {loss.item():.4f} acc {accuracy():.3f}")
