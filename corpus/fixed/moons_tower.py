import torch
from sklearn.datasets import make_moons
from torch import nn

torch.manual_seed(1)
X, t = make_moons(n_samples=600, noise=0.1, random_state=1)
X = torch.from_numpy(X).float()
t = torch.from_numpy(t).float().view(-1, 1)

net = nn.Sequential()
net.add_module("in", nn.Linear(2, 24))
net.add_module("act_in", nn.SELU())
for i in range(11):
    net.add_module(f"fc{i}", nn.Linear(24, 24))
    net.add_module(f"act{i}", nn.SELU())
net.add_module("out", nn.Linear(24, 1))

opt = torch.optim.SGD(net.parameters(), lr=0.2)
crit = nn.BCEWithLogitsLoss()
for epoch in range(60):
    perm = torch.randperm(len(X))
    for idx in perm.split(50):
        opt.zero_grad()
        loss = crit(net(X[idx]), t[idx])
        loss.backward()
        opt.step()
    if epoch % 10 == 9:
        with torch.no_grad():
            acc = ((net(X) > 0).float() == t).float().mean()
        print(f"[{epoch + 1:3d}] loss={loss.item():.4f} acc={acc:.3f}")
