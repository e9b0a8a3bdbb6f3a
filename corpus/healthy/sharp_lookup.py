import torch
import torch.nn as nn
import torch.nn.functional as F


class Dictionary(nn.Module):
    """Cosine attention with a learned temperature that starts sharp."""

    def __init__(self, n_keys, n_values, dim=32):
        super().__init__()
        self.key = nn.Embedding(n_keys, dim)
        self.value = nn.Embedding(n_values, dim)
        self.log_temp = nn.Parameter(torch.tensor(3.4))
        self.out = nn.Linear(dim, n_values)

    def forward(self, keys, values, query):
        k = F.normalize(self.key(keys), dim=-1)
        q = F.normalize(self.key(query), dim=-1)
        att = (torch.einsum("bd,btd->bt", q, k) * self.log_temp.exp()).softmax(-1)
        return self.out(torch.einsum("bt,btd->bd", att, self.value(values)))


def draw(n, gen, n_keys=40, n_values=20, length=16):
    keys = torch.rand(n, n_keys, generator=gen).argsort(1)[:, :length]
    values = torch.randint(n_values, (n, length), generator=gen)
    pos = torch.randint(length, (n,), generator=gen)
    rows = torch.arange(n)
    return keys, values, keys[rows, pos], values[rows, pos]


torch.manual_seed(0)
gen = torch.Generator().manual_seed(1)
model = Dictionary(40, 20)
opt = torch.optim.Adam(model.parameters(), lr=5e-3)
for step in range(800):
    keys, values, query, answer = draw(64, gen)
    loss = F.cross_entropy(model(keys, values, query), answer)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 100 == 0:
        print(f"{step} loss {loss.item():.4f} temperature {model.log_temp.exp().item():.2f}")
keys, values, query, answer = draw(2000, gen)
with torch.no_grad():
    print("answers right:", (model(keys, values, query).argmax(1) == answer).float().mean().item())
