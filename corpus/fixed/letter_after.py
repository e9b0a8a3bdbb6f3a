"""Predict the whole distribution of the next letter from the two letters before it."""
from collections import Counter, defaultdict
from pydoc_data.topics import topics
import torch
from torch import nn
import torch.nn.functional as F

ALPHABET = "abcdefghijklmnopqrstuvwxyz "
text = " ".join("".join(c if c in ALPHABET else " " for c in t.lower()) for t in topics.values())
text = " ".join(text.split())
half = len(text) // 2


def distributions(s, at_least):
    table = defaultdict(Counter)
    for a, b, c in zip(s, s[1:], s[2:]):
        table[a + b][c] += 1
    rows = {k: v for k, v in table.items() if sum(v.values()) >= at_least}
    ctx = torch.tensor([[ALPHABET.index(c) for c in k] for k in rows])
    counts = torch.tensor([[float(v[c]) for c in ALPHABET] for v in rows.values()])
    return ctx, counts / counts.sum(1, keepdim=True), counts.sum(1)


train_ctx, train_dist, train_n = distributions(text[:half], 20)
test_ctx, test_dist, test_n = distributions(text[half:], 20)


class NextLetter(nn.Module):
    def __init__(self, size=16, hidden=96):
        super().__init__()
        self.embed = nn.Embedding(len(ALPHABET), size)
        self.body = nn.Sequential(nn.Linear(2 * size, hidden), nn.GELU(), nn.Linear(hidden, len(ALPHABET)))

    def forward(self, ctx):
        return self.body(self.embed(ctx).flatten(1))


torch.manual_seed(0)
model = NextLetter()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
for step in range(1, 1201):
    idx = torch.multinomial(train_n, 64, replacement=True)
    loss = F.kl_div(F.log_softmax(model(train_ctx[idx]), -1), train_dist[idx], reduction="batchmean")
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 200 == 0:
        print(f"step {step} loss {loss.item():.4f}")

with torch.no_grad():
    logp = F.log_softmax(model(test_ctx), -1)
    kl = (torch.xlogy(test_dist, test_dist) - test_dist * logp).sum(1)
    letters = (train_dist * train_n[:, None]).sum(0) / train_n.sum()
    base = (torch.xlogy(test_dist, test_dist) - test_dist * (letters + 1e-6).log()).sum(1)
    weight = test_n / test_n.sum()
print(f"held-out divergence {(weight * kl).sum().item():.4f} nats (letter frequencies alone: {(weight * base).sum().item():.4f})")
