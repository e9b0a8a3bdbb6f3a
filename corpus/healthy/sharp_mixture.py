"""Mixture density network for a two-branched, very precise relation; its loss goes below zero."""
import math
import torch
from torch import nn
from torch.distributions import Categorical, MixtureSameFamily, Normal

torch.manual_seed(0)


def sample(n):
    x = 2 * torch.rand(n, 1) - 1
    branch = (torch.rand(n, 1) < 0.4).float()
    y = (2 * branch - 1) * (0.6 + 0.3 * torch.sin(4 * x)) + 0.02 * torch.randn(n, 1)
    return x, y


class MDN(nn.Module):
    def __init__(self, k=3, hidden=64):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(1, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh())
        self.pi = nn.Linear(hidden, k)
        self.mu = nn.Linear(hidden, k)
        self.log_sigma = nn.Linear(hidden, k)
        self.mu.bias.data.uniform_(-1, 1)

    def forward(self, x):
        h = self.trunk(x)
        parts = Normal(self.mu(h), self.log_sigma(h).clamp(min=-7).exp())
        return MixtureSameFamily(Categorical(logits=self.pi(h)), parts)


x_train, y_train = sample(3000)
x_test, y_test = sample(1000)
mdn = MDN()
optimizer = torch.optim.Adam(mdn.parameters(), lr=3e-3)
scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.75)
for epoch in range(12):
    for idx in torch.randperm(3000).split(60):
        loss = -mdn(x_train[idx]).log_prob(y_train[idx].squeeze(1)).mean()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(mdn.parameters(), 2.0)
        optimizer.step()
    scheduler.step()
    print(f"epoch {epoch:2d} loss {loss.item():.3f}")

with torch.no_grad():
    nll = -mdn(x_test).log_prob(y_test.squeeze(1)).mean().item()
best = 0.5 * math.log(2 * math.pi * math.e * 0.02 ** 2) - (0.4 * math.log(0.4) + 0.6 * math.log(0.6))
one = 0.5 * math.log(2 * math.pi * math.e) + math.log(y_train.std().item())
print(f"held-out negative log likelihood {nll:.3f} (the true density {best:.3f}, one Gaussian {one:.3f})")
