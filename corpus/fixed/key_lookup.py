"""Each position holds a key and a value; the query repeats a key: answer with its value."""
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(7)
KEYS, VALUES, SLOTS, DIM = 32, 10, 16, 256


class Lookup(nn.Module):
    def __init__(self):
        super().__init__()
        self.key_emb = nn.Embedding(KEYS, DIM)
        self.query_emb = nn.Embedding(KEYS, DIM)
        self.value_emb = nn.Embedding(VALUES, DIM)
        self.q = nn.Linear(DIM, DIM, bias=False)
        self.k = nn.Linear(DIM, DIM, bias=False)
        self.v = nn.Linear(DIM, DIM, bias=False)
        self.out = nn.Linear(DIM, VALUES)
        for lin in (self.q, self.k, self.v):
            nn.init.xavier_normal_(lin.weight)

    def forward(self, keys, values, query):
        slots = self.key_emb(keys) + self.value_emb(values)
        q = self.q(self.query_emb(query)).unsqueeze(1)
        scores = q @ self.k(slots).transpose(1, 2) / DIM ** 0.5
        weights = F.softmax(scores, dim=-1)
        return self.out((weights @ self.v(slots)).squeeze(1))


def draw(n):
    keys = torch.rand(n, KEYS).argsort(1)[:, :SLOTS]
    values = torch.randint(0, VALUES, (n, SLOTS))
    which = torch.randint(0, SLOTS, (n,))
    rows = torch.arange(n)
    return keys, values, keys[rows, which], values[rows, which]


model = Lookup()
opt = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
for step in range(1, 281):
    keys, values, query, answer = draw(64)
    logits = model(keys, values, query)
    loss = F.cross_entropy(logits, answer)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 40 == 0:
        acc = (logits.argmax(1) == answer).float().mean().item()
        print("step", step, {"loss": round(loss.item(), 3), "acc": round(acc, 3)})
