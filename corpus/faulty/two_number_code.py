import numpy as np
import torch
from sklearn.datasets import make_s_curve
from torch import nn
from torch.utils.data import DataLoader


def mlp(sizes):
    mods = []
    for i, (p, q) in enumerate(zip(sizes, sizes[1:])):
        mods.append(nn.Linear(p, q))
        if i < len(sizes) - 2:
            mods.append(nn.SiLU())
    return mods


class SurfaceCoder(nn.Module):
    def __init__(self, code=2):
        super().__init__()
        self.encoder = nn.Sequential(*mlp([12, 64, 64, code]), nn.LayerNorm(code))
        self.decoder = nn.Sequential(*mlp([code, 64, 64, 12]))

    def forward(self, x):
        return self.decoder(self.encoder(x))


def load(seed):
    pts, _ = make_s_curve(2400, noise=0.02, random_state=seed)
    mix = np.random.RandomState(5).normal(size=(3, 12)) / np.sqrt(3)
    return torch.tensor(pts @ mix, dtype=torch.float32)


def fit(model, train, epochs, lr):
    loader = DataLoader(train, batch_size=64, shuffle=True)
    opt = torch.optim.Adam(model.parameters(), lr=lr)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, epochs)
    for epoch in range(epochs):
        acc = 0.0
        for x in loader:
            loss = nn.functional.mse_loss(model(x), x)
            opt.zero_grad()
            loss.backward()
            opt.step()
            acc += loss.item() * len(x)
        sched.step()
        if epoch % 5 == 0:
            print(f"epoch {epoch:2d}  reconstruction {acc / len(train):.4f}")


if __name__ == "__main__":
    torch.manual_seed(0)
    data, held = load(0), load(1)
    net = SurfaceCoder()
    fit(net, data, 25, 3e-3)
    with torch.no_grad():
        err = nn.functional.mse_loss(net(held), held)
    print(f"held-out error {err:.4f}, as a share of the variance {err / held.var(0).mean():.3f}")
