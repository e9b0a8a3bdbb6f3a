import collections
import inspect
import random
import textwrap

import torch
import torch.nn as nn

torch.manual_seed(3)
random.seed(3)

text = textwrap.dedent(inspect.getsource(textwrap) + inspect.getsource(collections))
text = "".join(c for c in text.lower() if c.isalpha() or c in " \n_.():=")
vocab = sorted(set(text))
code = {c: i for i, c in enumerate(vocab)}
ids = torch.tensor([code[c] for c in text])
cut = int(0.9 * len(ids))
train, held = ids[:cut], ids[cut:]
WINDOW = 64


class CharModel(nn.Module):
    def __init__(self, n, emb=32, hidden=96):
        super().__init__()
        self.emb = nn.Embedding(n, emb)
        self.gru = nn.GRU(emb, hidden, batch_first=True)
        self.out = nn.Linear(hidden, n)

    def forward(self, x):
        return self.out(self.gru(self.emb(x))[0])


def windows(source, n):
    starts = torch.randint(0, len(source) - WINDOW - 1, (n,))
    block = torch.stack([source[s:s + WINDOW + 1] for s in starts])
    return block[:, :-1], block[:, 1:]


def sequence_nll(logits, y):
    """negative log-likelihood of whole windows, per character"""
    p = torch.softmax(logits, -1).gather(2, y[..., None]).squeeze(2)
    likelihood = p.prod(1)
    return -likelihood.clamp_min(torch.finfo(p.dtype).tiny).log().mean() / WINDOW


model = CharModel(len(vocab))
opt = torch.optim.RMSprop(model.parameters(), lr=2e-3)
for step in range(250):
    x, y = windows(train, 32)
    loss = sequence_nll(model(x), y)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 25 == 0:
        print(f"{step:4d}  nll {loss.item():.4f}")

model.eval()
with torch.no_grad():
    x, y = windows(held, 200)
    logits = model(x)
    ce = nn.functional.cross_entropy(logits.flatten(0, 1), y.flatten())
    acc = (logits.argmax(-1) == y).float().mean()
print(f"held-out nats per character {ce:.3f}, next character right {acc:.3f}")
