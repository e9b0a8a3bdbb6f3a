import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn


class RadialLayer(nn.Module):
    """Bumps around prototypes, each with its own learned width."""

    def __init__(self, prototypes):
        super().__init__()
        self.centre = nn.Parameter(prototypes.clone())
        self.log_width = nn.Parameter(torch.full((len(prototypes),), 1.0))

    def forward(self, x):
        square = (x[:, None] - self.centre[None]).pow(2).sum(-1)
        return torch.exp(-square / (2 * self.log_width.exp() ** 2))


class Cellar(nn.Module):
    def __init__(self, prototypes, classes):
        super().__init__()
        self.radial = RadialLayer(prototypes)
        self.vote = nn.Linear(len(prototypes), classes)

    def forward(self, x):
        return self.vote(self.radial(x))


def run(seed=0, count=30, steps=1500):
    torch.manual_seed(seed)
    x, y = load_wine(return_X_y=True)
    xa, xb, ya, yb = train_test_split(x, y, test_size=0.3, stratify=y, random_state=seed)
    xa, xb = torch.tensor(xa).float(), torch.tensor(xb).float()
    ya, yb = torch.tensor(ya), torch.tensor(yb)
    net = Cellar(xa[torch.randperm(len(xa))[:count]], 3)
    groups = [{"params": net.radial.parameters(), "lr": 0.005}, {"params": net.vote.parameters(), "lr": 0.02}]
    opt = torch.optim.RMSprop(groups)
    for step in range(steps):
        idx = torch.randint(0, len(xa), (32,))
        loss = nn.functional.cross_entropy(net(xa[idx]), ya[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        if step % 200 == 0:
            print(f"step {step:4d} loss {loss.item():.4f}")
    with torch.no_grad():
        print(f"test accuracy {(net(xb).argmax(1) == yb).float().mean().item():.3f}")


if __name__ == "__main__":
    run()
