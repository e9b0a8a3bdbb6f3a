import torch
import torch.nn as nn

torch.manual_seed(0)
G = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 1))
D = nn.Sequential(nn.Linear(1, 32), nn.LeakyReLU(0.1), nn.Linear(32, 1), nn.Sigmoid())
g_opt = torch.optim.Adam(G.parameters(), lr=1e-3)
d_opt = torch.optim.Adam(D.parameters(), lr=1e-3)
bce = nn.BCELoss()
for it in range(1, 1201):
    real = 4 + 1.25 * torch.randn(64, 1)
    z = torch.randn(64, 4)
    d_opt.zero_grad()
    lossD = bce(D(real), torch.ones(64, 1)) + bce(D(G(z).detach()), torch.zeros(64, 1))
    lossD.backward()
    d_opt.step()
    g_opt.zero_grad()
    lossG = bce(D(G(z)), torch.ones(64, 1))
    lossG.backward()
    g_opt.step()
    if it % 200 == 0:
        s = G(torch.randn(2000, 4))
        print(f"{it} D {lossD.item():.3f} G {lossG.item():.3f} mean {s.mean().item():.2f} std {s.std().item():.2f}")
