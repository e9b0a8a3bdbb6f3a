import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import make_circles

torch.manual_seed(7)


class Exponential(nn.Module):
    def forward(self, x):
        return torch.exp(x)


def build(n_layers=8, units=32, act=Exponential):
    layers = []
    fan = 2
    for _ in range(n_layers):
        layers += [nn.Linear(fan, units), act()]
        fan = units
    layers.append(nn.Linear(fan, 1))
    return nn.Sequential(*layers)


x, y = make_circles(1000, noise=0.1, factor=0.4, random_state=7)
ds = TensorDataset(torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.float32))
loader = DataLoader(ds, batch_size=50, shuffle=True)

net = build()
opt = torch.optim.Adam(net.parameters(), lr=1e-3)
for epoch in range(12):
    hits = 0
    running = 0.0
    for xb, yb in loader:
        logit = net(xb).squeeze(1)
        loss = nn.functional.binary_cross_entropy_with_logits(logit, yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
        running += loss.item()
        hits += ((logit > 0) == (yb > 0.5)).sum().item()
    print(f"[{epoch:02d}] loss={running / len(loader):.4f} acc={hits / len(ds):.3f}")
