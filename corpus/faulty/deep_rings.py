import argparse

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import make_circles
from sklearn.model_selection import train_test_split


class MLP(nn.Module):
    def __init__(self, depth, width):
        super().__init__()
        sizes = [2] + [width] * depth
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes, sizes[1:]))
        self.head = nn.Linear(width, 2)
        self.reset()

    def reset(self):
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.kaiming_uniform_(m.weight, a=0)
                m.bias.data.zero_()

    def forward(self, x):
        for l in self.layers:
            x = F.relu(l(x))
        return self.head(x)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--depth", type=int, default=17)
    p.add_argument("--width", type=int, default=6)
    p.add_argument("--lr", type=float, default=1e-3)
    p.add_argument("--epochs", type=int, default=40)
    p.add_argument("--seed", type=int, default=5)
    args = p.parse_args()

    torch.manual_seed(args.seed)
    X, y = make_circles(n_samples=800, noise=0.08, factor=0.5, random_state=args.seed)
    xtr, xte, ytr, yte = train_test_split(X, y, test_size=0.25, random_state=args.seed)
    xtr, xte = torch.Tensor(xtr), torch.Tensor(xte)
    ytr, yte = torch.LongTensor(ytr), torch.LongTensor(yte)

    net = MLP(args.depth, args.width)
    opt = torch.optim.Adam(net.parameters(), lr=args.lr)
    for epoch in range(args.epochs):
        losses = []
        for idx in torch.randperm(len(xtr)).split(32):
            loss = F.cross_entropy(net(xtr[idx]), ytr[idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
            losses.append(loss.item())
        if epoch % 4 == 0 or epoch == args.epochs - 1:
            with torch.no_grad():
                acc = (net(xte).argmax(1) == yte).float().mean().item()
            print(f"epoch {epoch:3d} loss {sum(losses) / len(losses):.4f} test {acc:.3f}")


if __name__ == "__main__":
    main()
