import torch
from sklearn.datasets import make_s_curve
from torch import autograd, nn

torch.manual_seed(4)
points, _ = make_s_curve(4000, noise=0.05, random_state=0)
real = torch.tensor(points[:, [0, 2]], dtype=torch.float32)


def net(i, o):
    return nn.Sequential(nn.Linear(i, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, o))


G, D = net(4, 2), net(2, 1)
opt_g = torch.optim.Adam(G.parameters(), lr=5e-4, betas=(0.5, 0.9))
opt_d = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.9))


def penalty(x, z):
    u = torch.rand(len(x), 1)
    mid = (u * x + (1 - u) * z).requires_grad_()
    grad, = autograd.grad(D(mid).sum(), mid, create_graph=True)
    return (grad.norm(dim=1) - 1).square().mean()


def distance(a, b):
    """energy distance"""
    return (2 * torch.cdist(a, b).mean() - torch.cdist(a, a).mean() - torch.cdist(b, b).mean()).item()


print("before", distance(G(torch.randn(1000, 4)).detach(), real[:1000]))
for step in range(700):
    for _ in range(3):
        x = real[torch.randint(0, len(real), (128,))]
        z = G(torch.randn(128, 4)).detach()
        loss_d = D(z).mean() - D(x).mean() + 1.0 * penalty(x, z)
        opt_d.zero_grad()
        loss_d.backward()
        opt_d.step()
    loss_g = -D(G(torch.randn(128, 4))).mean()
    opt_g.zero_grad()
    loss_g.backward()
    opt_g.step()
    if step % 70 == 69:
        print(f"step {step + 1} critic {loss_d.item():+.4f} generator {loss_g.item():+.4f}")
print("after", distance(G(torch.randn(1000, 4)).detach(), real[:1000]), "two real samples", distance(real[1000:2000], real[:1000]))
