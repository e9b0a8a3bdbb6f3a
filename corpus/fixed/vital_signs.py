import argparse

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split


class RMSNorm(nn.Module):
    def __init__(self, dim, eps=1e-6):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))
        self.eps = eps

    def forward(self, x):
        ms = x.float().pow(2).mean(-1, keepdim=True)
        return (x * torch.rsqrt(ms + self.eps) * self.weight).to(x.dtype)


class GatedBlock(nn.Module):
    def __init__(self, dim, hidden):
        super().__init__()
        self.norm = RMSNorm(dim)
        self.up = nn.Linear(dim, 2 * hidden)
        self.down = nn.Linear(hidden, dim)

    def forward(self, x):
        a, b = self.up(self.norm(x)).chunk(2, dim=-1)
        return x + self.down(F.silu(a) * b)


class TabularNet(nn.Module):
    def __init__(self, columns, dim=48, depth=3):
        super().__init__()
        self.stem = nn.Linear(columns, dim)
        self.blocks = nn.ModuleList(GatedBlock(dim, 64) for _ in range(depth))
        self.norm = RMSNorm(dim)
        self.head = nn.Linear(dim, 2)

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


def main(args):
    torch.manual_seed(args.seed)
    data = load_breast_cancer()
    xa, xb, ya, yb = train_test_split(data.data, data.target, test_size=0.3, random_state=0, stratify=data.target)
    xa, xb = torch.tensor(xa, dtype=torch.float32), torch.tensor(xb, dtype=torch.float32)
    ya, yb = torch.tensor(ya), torch.tensor(yb)
    net = TabularNet(xa.shape[1])
    opt = torch.optim.AdamW(net.parameters(), lr=args.lr)
    for step in range(args.steps):
        i = torch.randint(0, len(xa), (64,))
        with torch.autocast("cpu", dtype=torch.float16):
            logits = net(xa[i])
        loss = F.cross_entropy(logits.float(), ya[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
        if step % 60 == 0:
            print(f"step {step} loss {loss.item():.4f}")
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.float16):
        acc = (net(xb).argmax(1) == yb).float().mean().item()
    print(f"held-out accuracy {acc:.3f}")


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--steps", type=int, default=600)
    p.add_argument("--lr", type=float, default=1e-3)
    p.add_argument("--seed", type=int, default=0)
    main(p.parse_args())
