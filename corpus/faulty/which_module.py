"""Guess which standard library module a line of code comes from."""
import argparse
import difflib
import inspect
import re
import smtplib
import tarfile
from collections import Counter

import torch
from torch import nn

SOURCES = [argparse, difflib, inspect, smtplib, tarfile]


def read_lines():
    rows = []
    for label, module in enumerate(SOURCES):
        for line in inspect.getsource(module).splitlines():
            words = re.findall(r"[A-Za-z]+|[^\sA-Za-z]", line)
            if len(words) >= 6:
                rows.append((words, label))
    return rows


def collate(rows, vocab):
    flat, offsets, labels = [], [], []
    for words, label in rows:
        offsets.append(len(flat))
        flat.extend(vocab.get(w, 0) for w in words)
        labels.append(label)
    return torch.tensor(flat), torch.tensor(offsets), torch.tensor(labels)


class LineClassifier(nn.Module):
    def __init__(self, vocab, dim, classes):
        super().__init__()
        self.bag = nn.EmbeddingBag(vocab, dim, mode="mean")
        self.hidden = nn.Linear(dim, dim)
        self.out = nn.Linear(dim, classes)

    def forward(self, words, offsets):
        return self.out(torch.relu(self.hidden(self.bag(words, offsets))))


def main():
    torch.manual_seed(0)
    rows = read_lines()
    order = torch.randperm(len(rows)).tolist()
    rows = [rows[i] for i in order]
    cut = int(0.8 * len(rows))
    train, test = rows[:cut], rows[cut:]
    counts = Counter(w for words, _ in train for w in words)
    vocab = {w: i + 1 for i, (w, c) in enumerate(counts.most_common()) if c >= 2}
    model = LineClassifier(len(vocab) + 1, 48, len(SOURCES))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3, weight_decay=1e-2)
    for epoch in range(12):
        for i in range(0, cut, 32):
            words, offsets, labels = collate(train[i:i + 32], vocab)
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(words, offsets), labels)
            loss.backward()
            optimizer.step()
        print(f"epoch {epoch} loss {loss.item():.4f}")
    words, offsets, labels = collate(test, vocab)
    with torch.no_grad():
        hits = model(words, offsets).argmax(1) == labels
    print(f"{len(train)} lines, {len(vocab)} words, held-out accuracy {hits.float().mean().item():.3f}")


if __name__ == "__main__":
    main()
