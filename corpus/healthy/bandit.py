"""REINFORCE on a contextual bandit."""
import torch
from torch import nn
from torch.distributions import Categorical

torch.manual_seed(0)
policy = nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 4))
opt = torch.optim.Adam(policy.parameters(), lr=1e-2)
best = torch.tensor([2, 0, 3, 1])
baseline = 0.0
for it in range(400):
    context = torch.randint(0, 4, (64,))
    dist = Categorical(logits=policy(torch.eye(4)[context]))
    action = dist.sample()
    reward = (action == best[context]).float() + 0.1 * torch.randn(64)
    loss = -(dist.log_prob(action) * (reward - baseline)).mean() - 0.01 * dist.entropy().mean()
    baseline = 0.9 * baseline + 0.1 * reward.mean().item()
    opt.zero_grad()
    loss.backward()
    opt.step()
    if it % 50 == 0 or it == 399:
        print(it, "reward", reward.mean().item())
