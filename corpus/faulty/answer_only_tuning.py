"""Teach a little GRU to answer: the loss counts only the tokens after the arrow."""
import random

import torch
import torch.nn.functional as F
from torch import nn

random.seed(0)
torch.manual_seed(0)

CHARS = "\0abcdefgh>."
stoi = {c: i for i, c in enumerate(CHARS)}
MAX_LEN = 12
IGNORE = -100


def make_pair():
    word = "".join(random.choice("abcdefgh") for _ in range(random.randint(12, 18)))
    return word, max(word) + min(word) + "."


def encode(prompt, answer):
    ids = [stoi[c] for c in prompt + ">" + answer]
    labels = [IGNORE] * (len(prompt) + 1) + [stoi[c] for c in answer]
    ids, labels = ids[:MAX_LEN], labels[:MAX_LEN]
    pad = MAX_LEN - len(ids)
    return ids + [0] * pad, labels + [IGNORE] * pad


pairs = [make_pair() for _ in range(1920)]
pairs.sort(key=lambda p: len(p[0]))
encoded = [encode(*p) for p in pairs]
ids = torch.tensor([e[0] for e in encoded])
labels = torch.tensor([e[1] for e in encoded])
batches = list(range(0, len(ids), 32))


class Reader(nn.Module):
    def __init__(self, width=48):
        super().__init__()
        self.embed = nn.Embedding(len(CHARS), width)
        self.gru = nn.GRU(width, width, batch_first=True)
        self.head = nn.Linear(width, len(CHARS))

    def forward(self, x):
        return self.head(self.gru(self.embed(x))[0])


model = Reader()
opt = torch.optim.AdamW(model.parameters(), lr=8e-3)
for epoch in range(4):
    random.shuffle(batches)
    history = []
    for s in batches:
        x, t = ids[s:s + 32], labels[s:s + 32]
        logits = model(x[:, :-1])
        loss = F.cross_entropy(logits.reshape(-1, len(CHARS)), t[:, 1:].reshape(-1), ignore_index=IGNORE)
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
        history.append(loss.item())
    print(f"epoch {epoch}  mean loss {sum(history) / len(history):.4f}  last {history[-1]:.4f}")
