import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(9)
USERS, ITEMS, TASTE = 300, 200, 6
taste, trait = torch.randn(USERS, TASTE), torch.randn(ITEMS, TASTE)
affinity = taste @ trait.T + 0.5 * torch.randn(USERS, ITEMS)
liked = affinity.topk(30, dim=1).indices
liked = liked.gather(1, torch.rand(USERS, 30).argsort(1))
seen, hidden = liked[:, :22], liked[:, 22:]
is_seen = torch.zeros(USERS, ITEMS, dtype=torch.bool).scatter_(1, seen, True)


class Factors(nn.Module):
    def __init__(self, dim=16):
        super().__init__()
        self.user = nn.Embedding(USERS, dim, sparse=True)
        self.item = nn.Embedding(ITEMS, dim, sparse=True)
        self.popularity = nn.Embedding(ITEMS, 1, sparse=True)
        nn.init.normal_(self.user.weight, std=0.1)
        nn.init.normal_(self.item.weight, std=0.1)
        nn.init.zeros_(self.popularity.weight)

    def forward(self, u, i):
        return (self.user(u) * self.item(i)).sum(-1) + self.popularity(i).squeeze(-1)

    def penalty(self, u, i):
        return 1e-3 * (self.user(u).pow(2).sum(-1) + self.item(i).pow(2).sum(-1)).mean()


def train(model, steps=1200, batch=256):
    opt = torch.optim.SparseAdam(model.parameters(), lr=5e-3)
    for step in range(steps):
        u = torch.randint(USERS, (batch,))
        pos = seen[u, torch.randint(seen.shape[1], (batch,))]
        neg = torch.randint(ITEMS, (batch,))
        fresh = ~is_seen[u, neg]
        u, pos, neg = u[fresh], pos[fresh], neg[fresh]
        ranking = -F.logsigmoid(model(u, pos) - model(u, neg)).mean()
        loss = ranking + model.penalty(u, pos)
        opt.zero_grad()
        loss.backward()
        opt.step()
        if step % 200 == 0:
            print(f"step {step:4d} loss {loss.item():.4f}")


model = Factors()
train(model)
with torch.no_grad():
    scores = model.user.weight @ model.item.weight.T + model.popularity.weight.T
good = scores.gather(1, hidden)
rest = scores.masked_fill(is_seen, float("nan")).scatter(1, hidden, float("nan"))
wins = (good[:, :, None] > rest[:, None, :]) & ~rest.isnan()[:, None, :]
print("held-out AUC", wins.sum().item() / (~rest.isnan()).sum().item() / hidden.shape[1])
