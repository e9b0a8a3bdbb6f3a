import torch
import torch.nn as nn
from sklearn.datasets import make_moons

torch.manual_seed(0)
real_all = torch.tensor(make_moons(2000, noise=0.05, random_state=0)[0], dtype=torch.float32) - torch.tensor([0.5, 0.25])

G = nn.Sequential(nn.Linear(4, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 2))
D = nn.Sequential(nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
opt_g = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.99))
opt_d = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.99))
bce = nn.BCEWithLogitsLoss()
n = 128
ones, zeros = torch.ones(n, 1), torch.zeros(n, 1)

for step in range(1, 801):
    real = real_all[torch.randint(len(real_all), (n,))]
    fake = G(torch.randn(n, 4))

    opt_d.zero_grad()
    d_loss = bce(D(real), ones) + bce(D(fake.detach()), zeros)
    d_loss.backward()
    opt_d.step()

    opt_g.zero_grad()
    g_loss = bce(D(fake), ones)
    g_loss.backward()
    opt_g.step()

    if step % 100 == 0:
        with torch.no_grad():
            sample = G(torch.randn(500, 4))
            gap = torch.cdist(real_all[:500], sample).min(1).values.mean().item()
        print(f"step {step} d {d_loss.item():.3f} g {g_loss.item():.3f} real-to-fake distance {gap:.3f}")
