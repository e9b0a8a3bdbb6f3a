import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import make_moons

torch.manual_seed(8)
X, y = make_moons(n_samples=1000, noise=0.15, random_state=8)
X = torch.tensor(X, dtype=torch.float32)
y = torch.tensor(y, dtype=torch.float32).reshape(-1, 1)


class MoonNet(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.a = nn.Linear(2, hidden)
        self.b = nn.Linear(hidden, hidden)
        self.c = nn.Linear(hidden, 1)

    def forward(self, x):
        return self.c(torch.tanh(self.b(torch.tanh(self.a(x)))))


def train_step(net, opt, xb, yb):
    opt.zero_grad()
    loss = F.binary_cross_entropy_with_logits(net(xb), yb)
    loss.backward()
    opt.step()
    return loss.detach()


net = MoonNet()
opt = torch.optim.RMSprop(net.parameters(), lr=0.003)
for epoch in range(15):
    losses = [train_step(net, opt, X[i], y[i]) for i in torch.randperm(800).split(40)]
    with torch.no_grad():
        right = ((net(X[800:]) > 0) == (y[800:] > 0.5)).float().mean()
    print(f"epoch {epoch:2d} | loss {torch.stack(losses).mean():.4f} | acc {right:.3f}")
