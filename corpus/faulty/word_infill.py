import argparse
import random
import re
import textwrap

import torch
import torch.nn.functional as F
from torch import nn

random.seed(0)
torch.manual_seed(0)
source = " ".join(m.__doc__ or "" for m in (random, re, textwrap, argparse)).lower()
words = sorted(set(re.findall(r"[a-z]{4,10}", source)))
L = 10
PAD, MASK = 0, 27
data = torch.zeros(len(words), L, dtype=torch.long)
for r, w in enumerate(words):
    for c, ch in enumerate(w):
        data[r, c] = ord(ch) - 96


class Infill(nn.Module):
    def __init__(self):
        super().__init__()
        self.letters = nn.Embedding(28, 48)
        self.lstm = nn.LSTM(48, 48, batch_first=True, bidirectional=True)
        self.head = nn.Linear(96, 27)

    def forward(self, x):
        h, _ = self.lstm(self.letters(x))
        return self.head(h)


net = Infill()
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
recent = []
for step in range(1, 1001):
    x = data[torch.randint(0, len(data), (8,))]
    hidden = (torch.rand(x.shape) < 0.1) & (x != PAD)
    logits = net(x.masked_fill(hidden, MASK))
    ce = F.cross_entropy(logits.transpose(1, 2), x, reduction="none")
    hidden = hidden.float()
    loss = (ce * hidden).sum() / hidden.sum()
    opt.zero_grad()
    loss.backward()
    opt.step()
    recent.append(loss.item())
    if step % 100 == 0:
        print(f"step {step} loss on hidden letters {sum(recent[-100:]) / 100:.3f}")
