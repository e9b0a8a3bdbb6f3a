"""VAE on raw pixels."""
import torch
from sklearn.datasets import load_digits
from torch import nn


class VAE(nn.Module):
    def __init__(self, z=4):
        super().__init__()
        self.enc = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2 * z))
        self.dec = nn.Sequential(nn.Linear(z, 64), nn.ReLU(), nn.Linear(64, 64))

    def forward(self, x):
        mu, logvar = self.enc(x).chunk(2, dim=1)
        z = mu + torch.randn_like(mu) * torch.exp(0.5 * logvar)
        return self.dec(z), mu, logvar


torch.manual_seed(0)
X = torch.tensor(load_digits().data, dtype=torch.float32) * 255 / 16
vae = VAE()
opt = torch.optim.SGD(vae.parameters(), lr=1e-3)
for epoch in range(20):
    for idx in torch.randperm(len(X)).split(128):
        xb = X[idx]
        rec, mu, logvar = vae(xb)
        rec_loss = ((rec - xb) ** 2).sum(1).mean()
        kld = -0.5 * (1 + logvar - mu**2 - logvar.exp()).sum(1).mean()
        loss = rec_loss + kld
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(f"====> Epoch: {epoch} Average loss: {loss.item():.4f}")
