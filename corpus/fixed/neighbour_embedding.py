import torch
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)
X, y = load_digits(return_X_y=True)
X = torch.tensor(X / 16, dtype=torch.float32)
X = torch.cat([X, 0.4 * torch.randn(len(X), 64)], dim=1)
y = torch.tensor(y)
mix = torch.randperm(len(X))
X, y = X[mix], y[mix]
tr, te = slice(0, 1300), slice(1300, None)

net = nn.Sequential(nn.Linear(128, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, 24), nn.BatchNorm1d(24, affine=False))


def embed(x):
    with torch.autocast("cpu", dtype=torch.float16):
        z = net(x)
    return F.normalize(z.float(), dim=1)


def neighbour_loss(z, labels, bandwidth=0.05):
    """Probability that a stochastic neighbour of every point carries its label (NCA)."""
    distance = (z.unsqueeze(1) - z.unsqueeze(0)).square().sum(-1)
    kernel = torch.exp(-distance / bandwidth) * (1 - torch.eye(len(z), dtype=z.dtype))
    tiny = torch.finfo(z.dtype).tiny
    same = (kernel * (labels[:, None] == labels[None])).sum(1)
    return (torch.log(kernel.sum(1).clamp_min(tiny)) - torch.log(same.clamp_min(tiny))).mean()


opt = torch.optim.Adam(net.parameters(), lr=1e-3)
for step in range(1, 401):
    pick = torch.randint(1300, (100,))
    loss = neighbour_loss(embed(X[pick]), y[pick])
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 50 == 0:
        print(f"step {step}: loss {loss.item():.4f}")

with torch.no_grad():
    net.eval()
    z = embed(X).float().numpy()
knn = KNeighborsClassifier(5).fit(z[tr], y[tr])
print("5-nn accuracy", round(knn.score(z[te], y[te]), 3))
