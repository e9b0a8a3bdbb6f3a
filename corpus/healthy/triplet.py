import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
d = load_digits()
X, y = torch.tensor(d.data / 16).float(), torch.tensor(d.target)
by_class = [torch.nonzero(y[:1500] == c).squeeze(1) for c in range(10)]
embed = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 16))
opt = torch.optim.Adam(embed.parameters(), lr=1e-3)
triplet = nn.TripletMarginLoss(margin=1.0)


def pick(classes):
    return torch.stack([by_class[c][torch.randint(len(by_class[c]), (1,)).item()] for c in classes.tolist()])


for step in range(400):
    c = torch.randint(0, 10, (64,))
    n = (c + torch.randint(1, 10, (64,))) % 10
    loss = triplet(embed(X[pick(c)]), embed(X[pick(c)]), embed(X[pick(n)]))
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 50 == 0:
        print(step, loss.item())
with torch.no_grad():
    near = torch.cdist(embed(X[1500:]), embed(X[:1500])).argmin(1)
print("1-nn accuracy", (y[:1500][near] == y[1500:]).float().mean().item())
