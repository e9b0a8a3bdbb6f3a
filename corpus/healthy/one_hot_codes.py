"""Squeeze the words of argparse's source into a code and spell them again."""
import argparse
import inspect
import re

import torch
from torch import nn

words = sorted(set(re.findall(r"\b[a-z]{3,8}\b", inspect.getsource(argparse))))

LENGTH, ALPHABET = 8, 27


def encode(word):
    row = torch.zeros(LENGTH, ALPHABET)
    for i in range(LENGTH):
        row[i, ord(word[i]) - 96 if i < len(word) else 0] = 1
    return row.flatten()


torch.manual_seed(0)
x = torch.stack([encode(w) for w in words])
order = torch.randperm(len(x))
train, test = x[order[:-80]], x[order[-80:]]
model = nn.Sequential(nn.Linear(LENGTH * ALPHABET, 160), nn.Tanh(), nn.Linear(160, LENGTH * ALPHABET))
opt = torch.optim.SGD(model.parameters(), lr=20.0)
for epoch in range(150):
    for idx in torch.randperm(len(train)).split(32):
        loss = nn.functional.mse_loss(model(train[idx]), train[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
    if epoch % 20 == 0:
        print(f"epoch {epoch:3d}  loss {loss.item():.6f}")
with torch.no_grad():
    out = model(test).view(-1, LENGTH, ALPHABET).argmax(2)
hits = (out == test.view(-1, LENGTH, ALPHABET).argmax(2)).float().mean()
print(f"{len(train)} words, letters spelled right on new words {hits.item():.3f}")
