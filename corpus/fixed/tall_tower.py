"""How deep can a normalised multilayer perceptron go on the digits?"""
import argparse

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn


class Tower(nn.Module):
    def __init__(self, depth, width):
        super().__init__()
        self.first = nn.Linear(64, width)
        self.lins = nn.ModuleList(nn.Linear(width, width, bias=False) for _ in range(depth))
        self.norms = nn.ModuleList(nn.BatchNorm1d(width) for _ in range(depth))
        self.out_norm = nn.BatchNorm1d(width)
        self.last = nn.Linear(width, 10)
        for lin in self.lins:
            nn.init.kaiming_normal_(lin.weight, nonlinearity="relu")

    def forward(self, x):
        h = self.first(x)
        for lin, norm in zip(self.lins, self.norms):
            h = h + F.relu(norm(lin(h)))
        return self.last(self.out_norm(h))


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--depth", type=int, default=80)
    ap.add_argument("--width", type=int, default=48)
    ap.add_argument("--lr", type=float, default=0.1)
    ap.add_argument("--steps", type=int, default=150)
    args = ap.parse_args()

    torch.manual_seed(0)
    digits = load_digits()
    x = torch.tensor(digits.data / 16, dtype=torch.float32)
    y = torch.tensor(digits.target)
    model = Tower(args.depth, args.width)
    opt = torch.optim.SGD(model.parameters(), lr=args.lr)
    seen = []
    for step in range(args.steps):
        idx = torch.randint(0, len(x), (64,))
        out = model(x[idx])
        loss = F.cross_entropy(out, y[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        seen.append((loss.item(), (out.argmax(1) == y[idx]).float().mean().item()))
        if (step + 1) % 25 == 0:
            l, a = torch.tensor(seen[-25:]).mean(0).tolist()
            print(f"{step + 1:5d}  loss {l:.3f}  batch accuracy {a:.3f}")


main()
