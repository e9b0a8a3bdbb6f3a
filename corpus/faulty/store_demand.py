import math
from dataclasses import dataclass

import torch
from torch import nn


@dataclass
class Config:
    weeks: int = 1200
    history: int = 16
    hidden: int = 32
    batch: int = 64
    epochs: int = 20
    lr: float = 3e-3
    seed: int = 0
    levels: tuple = (0.1, 0.5, 0.9)


class QuantileGRU(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.gru = nn.GRU(3, cfg.hidden, batch_first=True)
        self.head = nn.Linear(cfg.hidden, len(cfg.levels))

    def forward(self, x):
        _, h = self.gru(x)
        return self.head(h[-1])


def pinball(pred, target, levels):
    diff = target.unsqueeze(1) - pred
    return torch.maximum(levels * diff, (levels - 1) * diff).mean()


def build(cfg):
    t = torch.arange(cfg.weeks, dtype=torch.float32)
    promo = (torch.rand(cfg.weeks) < 0.15).float()
    units = 21000 + 5000 * torch.sin(2 * math.pi * t / 26) + 7000 * promo + 500 * torch.randn(cfg.weeks)
    z = (units - units.mean()) / units.std()
    inputs = torch.stack([z, promo, promo.roll(-1)], dim=1)
    x = inputs.unfold(0, cfg.history, 1)[:-1].transpose(1, 2)
    return x, units[cfg.history:]


def main(cfg):
    torch.manual_seed(cfg.seed)
    x, y = build(cfg)
    n = int(0.8 * len(x))
    levels = torch.tensor(cfg.levels)
    model = QuantileGRU(cfg)
    opt = torch.optim.Adam(model.parameters(), lr=cfg.lr)
    for epoch in range(cfg.epochs):
        for idx in torch.randperm(n).split(cfg.batch):
            loss = pinball(model(x[idx]), y[idx], levels)
            opt.zero_grad()
            loss.backward()
            opt.step()
        if epoch % 3 == 0:
            print(f"epoch {epoch:2d}  pinball {loss.item():.4g}")
    with torch.no_grad():
        q = model(x[n:])
    naive = (y[n:] - y[:n].median()).abs().mean()
    cover = ((y[n:] > q[:, 0]) & (y[n:] < q[:, 2])).float().mean()
    print(f"median error / error of a constant: {(q[:, 1] - y[n:]).abs().mean() / naive:.3f}  coverage of the band {cover:.2f}")


if __name__ == "__main__":
    main(Config())
