import argparse

import torch
from sklearn.datasets import make_moons
from torch import nn


def build(hidden):
    return nn.Sequential(
        nn.Linear(2, hidden),
        nn.ReLU(),
        nn.Linear(hidden, hidden),
        nn.ReLU(),
        nn.Linear(hidden, 1),
        nn.Sigmoid(),
    )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--hidden", type=int, default=32)
    parser.add_argument("--lr", type=float, default=3e-3)
    args = parser.parse_args()

    torch.manual_seed(5)
    X, y = make_moons(600, noise=0.15, random_state=5)
    X = torch.tensor(X, dtype=torch.float32)
    y = torch.tensor(y, dtype=torch.float32)[:, None]
    model = build(args.hidden)
    bce = nn.BCELoss()
    opt = torch.optim.Adam(model.parameters(), lr=args.lr)
    for epoch in range(1, args.epochs + 1):
        right = 0
        for idx in torch.randperm(len(X)).split(100):
            p = model(X[idx])
            loss = bce(p, y[idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
            right += ((p > 0.5).float() == y[idx]).sum().item()
        if epoch % 10 == 0:
            print(f"[{epoch:3d}/{args.epochs}] loss={loss.item():.4f} acc={right / len(X):.3f}")


if __name__ == "__main__":
    main()
