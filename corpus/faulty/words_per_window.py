"""How many words are in a window of library source, from the bag of its characters?"""
import argparse as source_a
import inspect
import textwrap as source_b
import tarfile as source_c
import ast as source_d

import torch
from torch import nn, optim

WINDOW = 240


def windows():
    text = "".join(inspect.getsource(m) for m in (source_a, source_b, source_c, source_d))
    text = " ".join(text.split()).encode("ascii", "replace")
    ids = torch.tensor(list(text))
    starts = torch.randperm(len(ids) - WINDOW)[:6000]
    x = ids[starts[:, None] + torch.arange(WINDOW)]
    n = [len(text[s:s + WINDOW].split()) for s in starts.tolist()]
    return x, torch.tensor(n, dtype=torch.float32)


class CountModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.chars = nn.EmbeddingBag(128, 24, mode="mean")
        self.body = nn.Sequential(nn.Linear(24, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU())
        self.rate = nn.Linear(64, 1)

    def forward(self, x):
        return nn.functional.softplus(self.rate(self.body(self.chars(x)))).squeeze(1)


def fit(model, x, n, steps=900, batch=64):
    criterion = nn.PoissonNLLLoss()
    opt = optim.Adam(model.parameters(), lr=3e-3)
    for step in range(steps):
        pick = torch.randint(len(x), (batch,))
        opt.zero_grad()
        loss = criterion(model(x[pick]), n[pick])
        loss.backward()
        opt.step()
        if step % 100 == 0:
            print(step, round(loss.item(), 3))


if __name__ == "__main__":
    torch.manual_seed(11)
    x, n = windows()
    model = CountModel()
    fit(model, x[:5000], n[:5000])
    with torch.no_grad():
        rate = model(x[5000:])
    held = n[5000:]
    print("held-out words per window", held.mean().item())
    print("mean absolute error", (rate - held).abs().mean().item(),
          "of a constant guess", (held - held.median()).abs().mean().item())
