"""beta-VAE with an annealed KL weight on pictures of one bright blob: place and size as codes."""
import torch
import torch.nn as nn
import torch.nn.functional as F

SIDE = 12


def pictures(n, g):
    cx, cy = 2 + 7 * torch.rand(2, n, 1, 1, generator=g)
    width = 1 + 1.2 * torch.rand(n, 1, 1, generator=g)
    r = torch.arange(SIDE).float()
    img = torch.exp(-((r[None, :, None] - cy) ** 2 + (r[None, None, :] - cx) ** 2) / (2 * width ** 2))
    return img.flatten(1), torch.cat([cx, cy], 1).squeeze(2)


class Factors(nn.Module):
    def __init__(self, latent=8):
        super().__init__()
        self.enc = nn.Sequential(nn.Linear(SIDE ** 2, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(),
                                 nn.Linear(64, 2 * latent))
        self.dec = nn.Sequential(nn.Linear(latent, 64), nn.ReLU(), nn.Linear(64, 128), nn.ReLU(),
                                 nn.Linear(128, SIDE ** 2))

    def forward(self, x):
        mean, logvar = self.enc(x).chunk(2, dim=1)
        z = mean + (logvar / 2).exp() * torch.randn_like(mean)
        return self.dec(z), mean, logvar


g = torch.Generator().manual_seed(0)
train, _ = pictures(4000, g)
test, where = pictures(500, g)
torch.manual_seed(0)
model = Factors()
opt = torch.optim.Adam(model.parameters(), lr=1e-3)
STEPS = 1500
for step in range(STEPS):
    x = train[torch.randint(0, len(train), (100,))]
    logits, mean, logvar = model(x)
    recon = F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1).mean()
    kl_each = 0.5 * (mean.pow(2) + logvar.exp() - 1 - logvar).mean(0)
    beta = 4.0 * min(1.0, max(0.0, (step - 300) / 900))
    loss = recon + beta * kl_each.sum()
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 150 == 0 or step == STEPS - 1:
        used = (kl_each > 0.1).sum().item()
        print(f"step {step} beta {beta:.2f} loss {loss.item():.2f} recon {recon.item():.2f} "
              f"kl {kl_each.sum().item():.2f} codes in use {used}")

with torch.no_grad():
    _, mean, _ = model(test)
    design = torch.cat([mean, mean ** 2, torch.ones(len(mean), 1)], 1)
    fit = torch.linalg.lstsq(design[:250], where[:250]).solution
    miss = (design[250:] @ fit - where[250:]).pow(2).sum() / (where[250:] - where[:250].mean(0)).pow(2).sum()
print(f"R2 of the blob's place read from the codes: {1 - miss.item():.3f}")
