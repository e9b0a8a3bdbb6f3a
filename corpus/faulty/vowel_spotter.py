import argparse
import datetime
import decimal
import difflib
import doctest
import inspect
import json
import logging
import random
import re
import textwrap
import unittest
import urllib.request

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pad_sequence

VOWELS = "aeiou"


def load_words():
    modules = [argparse, datetime, decimal, difflib, doctest, inspect, json, logging, random, re, textwrap, unittest,
               urllib.request]
    source = " ".join(inspect.getsource(m) for m in modules).lower()
    return sorted({w for w in re.findall(r"[a-z]{3,12}", source)})


def encode(words):
    x = pad_sequence([torch.tensor([ord(c) - 96 for c in w]) for w in words], batch_first=True)
    y = torch.tensor([[int(v in w) for v in VOWELS] for w in words])
    return x, y


class Spotter(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.emb = nn.Embedding(27, 24, padding_idx=0)
        self.gru = nn.GRU(24, hidden, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(2 * hidden, len(VOWELS))

    def forward(self, x):
        h, _ = self.gru(self.emb(x))
        return self.fc(h.max(dim=1).values)


def main(args):
    random.seed(args.seed)
    torch.manual_seed(args.seed)
    words = load_words()
    random.shuffle(words)
    x, y = encode(words)
    cut = int(0.8 * len(x))
    train_x, train_y, test_x, test_y = x[:cut], y[:cut], x[cut:], y[cut:]
    model = Spotter(args.hidden)
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr)
    for epoch in range(args.epochs):
        total = 0.0
        for idx in torch.randperm(cut).split(64):
            optimizer.zero_grad()
            scores = model(train_x[idx])
            loss = F.multilabel_margin_loss(scores, train_y[idx])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(idx)
        with torch.no_grad():
            hits = ((model(test_x) > 0).long() == test_y).float().mean(0)
        print(f"epoch {epoch}: loss {total / cut:.4f}  " + "  ".join(f"{v} {h:.3f}" for v, h in zip(VOWELS, hits)))
    print(f"{len(words)} words, held-out accuracy {hits.mean():.3f}")


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--hidden", type=int, default=32)
    p.add_argument("--lr", type=float, default=3e-3)
    p.add_argument("--epochs", type=int, default=8)
    p.add_argument("--seed", type=int, default=0)
    main(p.parse_args())
