import torch
import torch.nn as nn
from sklearn.datasets import load_digits


class Embed(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 16))

    def forward(self, a, b):
        ea, eb = self.net(a), self.net(b)
        return torch.sqrt(((ea - eb) ** 2).sum(1) + 1e-8)


torch.manual_seed(9)
d = load_digits()
X = torch.tensor(d.data / 16, dtype=torch.float32)
y = torch.tensor(d.target)
model = Embed()
opt = torch.optim.Adam(model.parameters(), lr=1e-3)
for it in range(300):
    i = torch.randint(0, 1797, (128,))
    j = torch.randint(0, 1797, (128,))
    if it == 40:
        j[0] = i[0]
    same = (y[i] == y[j]).float()
    dist = model(X[i], X[j])
    loss = (same * dist**2 + (1 - same) * torch.clamp(1.0 - dist, min=0) ** 2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    if it % 20 == 0:
        print("iter {:3d}  loss {:.4f}".format(it, loss.item()))
