"""Bayes by backprop on the breast cancer table."""
import math

import torch
import torch.nn.functional as F
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class BayesLinear(nn.Module):
    def __init__(self, n_in, n_out, prior_std=0.5):
        super().__init__()
        self.mu = nn.Parameter(torch.randn(n_out, n_in + 1) / math.sqrt(n_in + 1))
        self.rho = nn.Parameter(torch.full((n_out, n_in + 1), -4.0))
        self.prior_std = prior_std

    def forward(self, x):
        w = self.mu + F.softplus(self.rho) * torch.randn_like(self.mu)
        return F.linear(x, w[:, :-1], w[:, -1])

    def kl(self):
        q = torch.distributions.Normal(self.mu, F.softplus(self.rho))
        p = torch.distributions.Normal(0.0, self.prior_std)
        return torch.distributions.kl_divergence(q, p).sum()


class BayesNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = BayesLinear(30, 24)
        self.second = BayesLinear(24, 2)

    def forward(self, x):
        return self.second(torch.tanh(self.first(x)))

    def kl(self):
        return self.first.kl() + self.second.kl()


torch.manual_seed(0)
data = load_breast_cancer()
xa, xb, ya, yb = train_test_split(data.data, data.target, test_size=0.3, random_state=0)
scaler = StandardScaler().fit(xa)
train = TensorDataset(torch.tensor(scaler.transform(xa)).float(), torch.tensor(ya))
loader = DataLoader(train, batch_size=40, shuffle=True)
xb, yb = torch.tensor(scaler.transform(xb)).float(), torch.tensor(yb)

model = BayesNet()
opt = torch.optim.Adam(model.parameters(), lr=5e-3)
for epoch in range(100):
    for x, y in loader:
        nll = F.cross_entropy(model(x), y)
        loss = nll + model.kl()
        opt.zero_grad()
        loss.backward()
        opt.step()
    if epoch % 20 == 0:
        print(f"epoch {epoch:3d}  nll {nll.item():.3f}  elbo loss {loss.item():.3f}")
with torch.no_grad():
    p = torch.stack([model(xb).softmax(1) for _ in range(30)]).mean(0)
print(f"held-out accuracy {(p.argmax(1) == yb).float().mean().item():.3f}  nll {F.nll_loss(p.log(), yb).item():.3f}")
