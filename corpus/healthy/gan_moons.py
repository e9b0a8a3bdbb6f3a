import torch
import torch.nn as nn
from sklearn.datasets import make_moons

torch.manual_seed(5)
real, _ = make_moons(2000, noise=0.06, random_state=5)
real = torch.tensor((real - real.mean(0)) / real.std(0), dtype=torch.float32)

G = nn.Sequential(nn.Linear(8, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 2))
D = nn.Sequential(nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
opt_g = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.9))
opt_d = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.9))
bce = nn.BCEWithLogitsLoss()


@torch.no_grad()
def sliced_distance(n=1000):
    fake = G(torch.randn(n, 8))
    th = torch.linspace(0, 3.14159, 16)
    dirs = torch.stack([th.cos(), th.sin()])
    a = (real[:n] @ dirs).sort(0).values
    b = (fake @ dirs).sort(0).values
    return (a - b).abs().mean().item()


print("start", sliced_distance())
for it in range(800):
    x = real[torch.randint(len(real), (128,))]
    z = torch.randn(128, 8)
    # discriminator
    opt_d.zero_grad()
    d_loss = bce(D(x), torch.ones(128, 1)) + bce(D(G(z).detach()), torch.zeros(128, 1))
    d_loss.backward()
    opt_d.step()
    # generator
    opt_g.zero_grad()
    g_loss = bce(D(G(z)), torch.ones(128, 1))
    g_loss.backward()
    opt_g.step()
    if it % 100 == 99:
        print(f"{it + 1} D {d_loss.item():.3f} G {g_loss.item():.3f} distance {sliced_distance():.3f}")
