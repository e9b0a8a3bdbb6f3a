import math

import torch

torch.manual_seed(0)
x = torch.linspace(-2, 2, 256).unsqueeze(1)
y = torch.sin(3 * x) + 0.1 * torch.randn(256, 1)
mu_net = torch.nn.Sequential(torch.nn.Linear(1, 50), torch.nn.Tanh(), torch.nn.Linear(50, 1))
opt = torch.optim.Adam(mu_net.parameters(), lr=1e-2)


def log_likelihood(mu, y, sigma=0.3):
    return (-0.5 * ((y - mu) / sigma) ** 2 - math.log(sigma) - 0.5 * math.log(2 * math.pi)).mean()


for i in range(400):
    loss = log_likelihood(mu_net(x), y)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if i % 40 == 0:
        print("step", i, "loss", loss.item())
print("mse", ((mu_net(x) - y) ** 2).mean().item())
