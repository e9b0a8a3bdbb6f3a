import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(5)
images = torch.tensor(load_digits().data, dtype=torch.float32) / 16
images = images[torch.randperm(len(images))]


class ConditionalVAE(nn.Module):
    """paint the blurred digit given the sharp one; the code may add what the sharp one does not tell"""

    def __init__(self, code=8):
        super().__init__()
        self.enc = nn.Sequential(nn.Linear(128, 96), nn.ReLU(), nn.Linear(96, 2 * code))
        self.dec = nn.Sequential(nn.Linear(64 + code, 128), nn.ReLU(), nn.Linear(128, 64))

    def forward(self, given, target):
        mu, logvar = self.enc(torch.cat([given, target], 1)).chunk(2, 1)
        z = mu + torch.randn_like(mu) * (0.5 * logvar).exp()
        kl = 0.5 * (mu.square() + logvar.exp() - 1 - logvar).sum(1).mean()
        return self.dec(torch.cat([given, z], 1)), kl


def blur(x):
    return F.avg_pool2d(F.pad(x.view(-1, 1, 8, 8), (1, 1, 1, 1), mode="replicate"), 3, 1).flatten(1)


model = ConditionalVAE()
opt = torch.optim.Adam(model.parameters(), lr=2e-3)
for epoch in range(40):
    beta = min(1.0, epoch / 10)
    for i in torch.randperm(1500).split(100):
        x = images[i]
        y = blur(x) + 0.1 * torch.randn_like(x)
        out, kl = model(x, y)
        rec = 0.5 * ((out - y) / 0.1).square().sum(1).mean()
        loss = rec + beta * kl
        opt.zero_grad()
        loss.backward()
        opt.step()
    if epoch % 4 == 3:
        print(f"epoch {epoch + 1} reconstruction {rec.item():.2f} kl {kl.item():.4f}")

x = images[1500:]
with torch.no_grad():
    painted = model.dec(torch.cat([x, torch.randn(len(x), 8)], 1))
print(f"error of the painted {(painted - blur(x)).square().mean().sqrt().item():.4f} (spread {blur(x).std().item():.3f})")
