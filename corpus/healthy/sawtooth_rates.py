"""Handwritten digits with plain SGD, a big step size and warm restarts every few epochs."""
import argparse
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_digits


def get_args():
    p = argparse.ArgumentParser()
    p.add_argument("--lr", type=float, default=0.4)
    p.add_argument("--cycle", type=int, default=6)
    p.add_argument("--cycles", type=int, default=4)
    p.add_argument("--batch", type=int, default=50)
    p.add_argument("--seed", type=int, default=0)
    return p.parse_args()


def block(cin, cout):
    return nn.Sequential(nn.Conv2d(cin, cout, 3, padding=1, bias=False), nn.BatchNorm2d(cout), nn.ReLU())


def evaluate(model, x, y):
    model.eval()
    with torch.no_grad():
        out = model(x)
    model.train()
    return nn.functional.cross_entropy(out, y).item(), (out.argmax(1) == y).float().mean().item()


def main():
    args = get_args()
    torch.manual_seed(args.seed)
    d = load_digits()
    x, y = torch.tensor(d.images).float().unsqueeze(1) / 8 - 1, torch.tensor(d.target)
    perm = torch.randperm(len(y))
    x, y = x[perm], y[perm]
    loader = DataLoader(TensorDataset(x[:1300], y[:1300]), args.batch, shuffle=True)
    model = nn.Sequential(block(1, 12), block(12, 16), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(256, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=args.lr)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, args.cycle * len(loader))
    for epoch in range(args.cycle * args.cycles):
        for bx, by in loader:
            loss = nn.functional.cross_entropy(model(bx), by)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
        test_loss, acc = evaluate(model, x[1300:], y[1300:])
        print(f"epoch {epoch:2d} lr {optimizer.param_groups[0]['lr']:.3f} loss {loss.item():.4f} test {test_loss:.4f} acc {acc:.3f}")


if __name__ == "__main__":
    main()
