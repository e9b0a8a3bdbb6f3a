import argparse

import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset


def build():
    return nn.Sequential(
        nn.Conv2d(1, 12, 3, padding=1), nn.GroupNorm(3, 12), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(12, 24, 3, padding=1), nn.GroupNorm(4, 24), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(96, 10),
    )


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--accumulate", type=int, default=12)
    ap.add_argument("--micro", type=int, default=6)
    ap.add_argument("--epochs", type=int, default=6)
    ap.add_argument("--lr", type=float, default=0.1)
    args = ap.parse_args()
    torch.manual_seed(17)

    d = load_digits()
    x = torch.tensor(d.images).float().unsqueeze(1) / 16
    y = torch.tensor(d.target)
    dl = DataLoader(TensorDataset(x[:1440], y[:1440]), batch_size=args.micro, shuffle=True)
    model = build()
    opt = torch.optim.SGD(model.parameters(), lr=args.lr, momentum=0.9, nesterov=True)
    seen = updates = 0
    window = 0.0
    for epoch in range(args.epochs):
        for xb, yb in dl:
            loss = nn.functional.cross_entropy(model(xb), yb)
            (loss / args.accumulate).backward()
            window += loss.item() / args.accumulate
            seen += 1
            if seen % args.accumulate:
                continue
            opt.step()
            opt.zero_grad()
            updates += 1
            if updates % 10 == 0:
                print("update", updates, "loss", round(window, 4))
            window = 0.0
    with torch.no_grad():
        acc = (model(x[1440:]).argmax(1) == y[1440:]).float().mean()
    print("updates", updates, "accuracy", acc.item())


if __name__ == "__main__":
    main()
