import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(1)
images = torch.tensor(load_digits().data / 16, dtype=torch.float32)


class VAE(nn.Module):
    def __init__(self, latent=4):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, 128), nn.Tanh())
        self.to_mu = nn.Linear(128, latent)
        self.to_logvar = nn.Linear(128, latent)
        self.decoder = nn.Sequential(nn.Linear(latent, 128), nn.ReLU(), nn.Linear(128, 64), nn.Sigmoid())

    def forward(self, x):
        h = self.encoder(x)
        mu, logvar = self.to_mu(h), self.to_logvar(h)
        z = mu + torch.randn_like(mu) * (0.5 * logvar).exp()
        return self.decoder(z), mu, logvar


vae = VAE()
opt = torch.optim.Adam(vae.parameters(), lr=2e-3)

for epoch in range(30):
    sums = {"rec": 0.0, "kl": 0.0}
    for batch in images[torch.randperm(len(images))].split(64):
        recon, mu, logvar = vae(batch)
        rec = F.binary_cross_entropy(recon, batch)
        kl = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
        loss = rec + kl
        opt.zero_grad()
        loss.backward()
        opt.step()
        sums["rec"] += rec.item()
        sums["kl"] += kl.item()
    if epoch % 4 == 0:
        print(epoch, {k: round(v / 29, 4) for k, v in sums.items()})

with torch.no_grad():
    recon, mu, logvar = vae(images)
    print("spread of the codes", mu.std(0).tolist())
    print("explained variance of the pixels", (1 - (recon - images).pow(2).sum() / (images - images.mean(0)).pow(2).sum()).item())
