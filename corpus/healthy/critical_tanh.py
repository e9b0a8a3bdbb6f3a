"""Twenty tanh layers, orthogonal initialisation at the edge of chaos."""
import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
d = load_digits()
X, y = torch.tensor(d.data, dtype=torch.float32), torch.tensor(d.target)
X = (X - X.mean()) / X.std()
layers = [nn.Linear(64, 100), nn.Tanh()]
for _ in range(19):
    layers += [nn.Linear(100, 100), nn.Tanh()]
net = nn.Sequential(*layers, nn.Linear(100, 10))
for m in net:
    if isinstance(m, nn.Linear):
        nn.init.orthogonal_(m.weight, gain=1.05)
        nn.init.zeros_(m.bias)
opt = torch.optim.SGD(net.parameters(), lr=0.02, momentum=0.9)
for epoch in range(10):
    for i in torch.randperm(1500).split(64):
        loss = nn.functional.cross_entropy(net(X[i]), y[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(epoch, loss.item(), (net(X[1500:]).argmax(1) == y[1500:]).float().mean().item())
