"""u'' = -u, u(0) = 0, u'(0) = 1, by a network: second derivatives inside the loss."""
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
for step in range(801):
    t = (3 * torch.rand(64, 1)).requires_grad_()
    u = t + t**2 * net(t)
    du = torch.autograd.grad(u.sum(), t, create_graph=True)[0]
    ddu = torch.autograd.grad(du.sum(), t, create_graph=True)[0]
    loss = ((ddu + u) ** 2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 100 == 0:
        s = torch.linspace(0, 3, 50).unsqueeze(1)
        print(step, loss.item(), "max error", ((s + s**2 * net(s)) - s.sin()).abs().max().item())
