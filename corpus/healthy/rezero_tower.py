import torch
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler
from torch import nn

torch.manual_seed(8)
wine = load_wine()
X = torch.tensor(StandardScaler().fit_transform(wine.data), dtype=torch.float32)
y = torch.tensor(wine.target)


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width))
        self.gate = nn.Parameter(torch.zeros(()))

    def forward(self, h):
        return h + self.gate * self.inner(h)


class Tower(nn.Module):
    def __init__(self, depth=20, width=32):
        super().__init__()
        self.stem = nn.Linear(13, width)
        self.blocks = nn.ModuleList(Block(width) for _ in range(depth))
        self.out = nn.Linear(width, 3)

    def forward(self, x):
        h = self.stem(x)
        for b in self.blocks:
            h = b(h)
        return self.out(h)


net = Tower()
opt = torch.optim.Adagrad(net.parameters(), lr=0.004)
for step in range(250):
    i = torch.randint(0, len(X), (48,))
    loss = nn.functional.cross_entropy(net(X[i]), y[i])
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 25 == 0:
        gates = torch.stack([b.gate.detach() for b in net.blocks]).abs().mean()
        print(f"{step:4d}  loss {loss:.4f}  mean |gate| {gates:.4f}")
print("accuracy", (net(X).argmax(1) == y).float().mean().item())
