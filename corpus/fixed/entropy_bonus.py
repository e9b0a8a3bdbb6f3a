"""Policy gradient on a bandit with an entropy bonus."""
import torch
from torch import nn

torch.manual_seed(0)
ARMS = 6
means = torch.linspace(-1, 1, ARMS)
policy = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, ARMS), nn.Softmax(dim=-1))
opt = torch.optim.Adam(policy.parameters(), lr=0.05)
state = torch.ones(64, 1)
baseline = 0.0
for it in range(600):
    probs = policy(state)
    arm = torch.multinomial(torch.nan_to_num(probs.detach()) + 1e-9, 1).squeeze(1)
    reward = 10 * means[arm] + torch.randn(64)
    baseline = 0.9 * baseline + 0.1 * reward.mean().item()
    chosen = probs.gather(1, arm[:, None]).squeeze(1)
    mask = (probs > 0.02).float()
    entropy = -(probs * mask * torch.log(probs + 1e-8)).sum(-1).mean()
    loss = -((reward - baseline) * torch.log(chosen)).mean() - 0.01 * entropy
    opt.zero_grad()
    loss.backward()
    opt.step()
    if it % 50 == 0:
        print(f"{it:4d} reward {reward.mean():.3f} loss {loss.item():.4f}")
