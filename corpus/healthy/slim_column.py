"""Two interleaved moons through thirty-two layers of only eight units."""
import torch
import torch.nn as nn
from sklearn.datasets import make_moons


class Slim(nn.Module):
    def __init__(self, width=8):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.lin = nn.Linear(width, width)

    def forward(self, x):
        return x + torch.relu(self.lin(self.norm(x)))


class Column(nn.Module):
    def __init__(self, depth=32, width=8):
        super().__init__()
        self.enter = nn.Linear(2, width)
        self.layers = nn.ModuleList(Slim(width) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.leave = nn.Linear(width, 2)

    def forward(self, x):
        x = self.enter(x)
        for layer in self.layers:
            x = layer(x)
        return self.leave(self.norm(x))


torch.manual_seed(0)
X, y = make_moons(2000, noise=0.15, random_state=0)
X, y = torch.tensor(X).float(), torch.tensor(y)
train_x, train_y, test_x, test_y = X[:1500], y[:1500], X[1500:], y[1500:]
model = Column()
optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
for step in range(401):
    idx = torch.randint(0, 1500, (64,))
    loss = nn.functional.cross_entropy(model(train_x[idx]), train_y[idx])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 50 == 0:
        print(f"step {step:3d} loss {loss.item():.4f}")
with torch.no_grad():
    print(f"held-out accuracy {(model(test_x).argmax(1) == test_y).float().mean().item():.3f}")
