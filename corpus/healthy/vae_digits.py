import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

torch.manual_seed(10)
X = torch.from_numpy(load_digits().data).float().div(16)


class VAE(nn.Module):
    def __init__(self, z=6, h=96):
        super().__init__()
        self.enc = nn.Linear(64, h)
        self.mu, self.logvar = nn.Linear(h, z), nn.Linear(h, z)
        self.dec1, self.dec2 = nn.Linear(z, h), nn.Linear(h, 64)

    def forward(self, x):
        e = F.elu(self.enc(x))
        mu, logvar = self.mu(e), self.logvar(e)
        z = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)
        return self.dec2(F.elu(self.dec1(z))), mu, logvar


vae = VAE()
opt = torch.optim.Adamax(vae.parameters(), lr=6e-3)
for epoch in range(40):
    sums = {"rec": 0.0, "kl": 0.0}
    for i in torch.randperm(len(X)).split(100):
        out, mu, lv = vae(X[i])
        losses = {
            "rec": F.binary_cross_entropy_with_logits(out, X[i], reduction="none").sum(1).mean(),
            "kl": -0.5 * (1 + lv - mu.pow(2) - lv.exp()).sum(1).mean(),
        }
        total = sum(losses.values())
        opt.zero_grad()
        total.backward()
        opt.step()
        for k, v in losses.items():
            sums[k] += v.item() * len(i) / len(X)
    print(epoch, {k: round(v, 3) for k, v in sums.items()}, "elbo", round(-sum(sums.values()), 3))
p = X.mean(0).clamp(1e-4, 1 - 1e-4)
print("independent pixels", F.binary_cross_entropy(p.expand_as(X), X, reduction="none").sum(1).mean().item())
print("pixel mse", F.mse_loss(torch.sigmoid(vae(X)[0]), X).item(), "of variance", X.var(0).mean().item())
