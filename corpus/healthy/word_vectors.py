"""Skip-gram vectors with negative sampling, trained on docstrings of the standard library."""
import argparse as ap
import collections
import inspect
import random
import re
import textwrap
import threading

import torch
import torch.nn.functional as F

torch.manual_seed(2)
random.seed(2)

text = " ".join(inspect.getsource(m) for m in (ap, textwrap, threading, random))
words = re.findall(r"[a-z]{2,}", text.lower())
counts = collections.Counter(words)
vocab = [w for w, c in counts.most_common() if c >= 3]
index = {w: i for i, w in enumerate(vocab)}
ids = [index[w] for w in words if w in index]
pairs = [(ids[i], ids[j]) for i in range(len(ids)) for j in range(max(0, i - 2), min(len(ids), i + 3)) if i != j]
pairs = torch.tensor(pairs)
freq = torch.tensor([counts[w] for w in vocab]).float() ** 0.75
print(len(vocab), "words", len(pairs), "pairs")

center = torch.nn.Embedding(len(vocab), 32, sparse=True)
context = torch.nn.Embedding(len(vocab), 32, sparse=True)
torch.nn.init.uniform_(center.weight, -0.5 / 32, 0.5 / 32)
torch.nn.init.normal_(context.weight, std=0.1)
opt = torch.optim.SparseAdam(list(center.parameters()) + list(context.parameters()), lr=5e-3)

running = None
for step in range(900):
    b = pairs[torch.randint(len(pairs), (256,))]
    neg = torch.multinomial(freq, 256 * 5, replacement=True).view(256, 5)
    v = center(b[:, 0])
    pos = (v * context(b[:, 1])).sum(-1)
    negs = (context(neg) @ v.unsqueeze(-1)).squeeze(-1)
    loss = -(F.logsigmoid(pos) + F.logsigmoid(-negs).sum(-1)).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    running = loss.item() if running is None else 0.98 * running + 0.02 * loss.item()
    if step % 100 == 0:
        print(f"step {step}: {running:.4f}")
print("final", round(running, 4))
w = F.normalize(center.weight.detach(), dim=1)
for q in ("self", "thread", "line"):
    if q in index:
        print(q, "->", [vocab[k] for k in (w @ w[index[q]]).topk(5).indices.tolist()])
