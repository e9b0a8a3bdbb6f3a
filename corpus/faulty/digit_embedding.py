import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(1)
data = load_digits()
X = torch.tensor(data.data / 16, dtype=torch.float32)
y = torch.tensor(data.target)
train, test = torch.arange(1300), torch.arange(1300, 1797)
MARGIN = 0.5


class Embedder(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 16))

    def forward(self, x):
        return self.layers(x)


def batch_hard(emb, labels):
    dist = (emb[:, None] - emb[None]).pow(2).sum(-1)
    same = labels[:, None] == labels[None]
    hardest_pos = dist.masked_fill(~same, float("-inf")).max(1).values
    hardest_neg = dist.masked_fill(same, float("inf")).min(1).values
    return torch.relu(hardest_pos - hardest_neg + MARGIN).mean()


def nearest_neighbour_accuracy(net):
    with torch.no_grad():
        a, b = net(X[train]), net(X[test])
    return (y[train][torch.cdist(b, a).argmin(1)] == y[test]).float().mean().item(), b.std(0).mean().item()


net = Embedder()
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
for step in range(1, 251):
    idx = train[torch.randperm(1300)[:120]]
    loss = batch_hard(net(X[idx]), y[idx])
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 50 == 0:
        acc, spread = nearest_neighbour_accuracy(net)
        print(f"step {step} triplet {loss.item():.4f} 1-NN {acc:.3f} spread {spread:.2e}")
