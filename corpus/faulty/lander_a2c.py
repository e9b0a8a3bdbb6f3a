import torch
from torch import nn
from torch.distributions import Categorical

torch.manual_seed(11)
N, T, DT, GAMMA = 64, 40, 0.1, 0.97


def reset(n):
    return torch.stack([torch.rand(n) * 2 + 1, torch.rand(n) - 0.5, torch.ones(n)], 1)


def step(s, a):
    """fall on to the ground softly: height, speed, fuel; action 0..2 is the thrust"""
    thrust = a.float() * 0.9
    speed = s[:, 1] + DT * (thrust - 0.8)
    height = (s[:, 0] + DT * speed).clamp(0, 4)
    fuel = s[:, 2] - 0.01 * a.float()
    reward = -0.1 * (height - 0.5).abs() - 0.05 * speed.abs() - 0.01 * a.float()
    return torch.stack([height, speed, fuel], 1), reward


class Agent(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(3, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh())
        self.pi = nn.Linear(64, 3)
        self.v = nn.Linear(64, 1)

    def forward(self, s):
        h = self.trunk(s)
        return Categorical(logits=self.pi(h)), self.v(h).squeeze(1)


agent = Agent()
opt = torch.optim.Adam(agent.parameters(), lr=2e-3)
for update in range(160):
    s = reset(N)
    logps, values, rewards, entropies = [], [], [], []
    for _ in range(T):
        dist, v = agent(s)
        a = dist.sample()
        s, r = step(s, a)
        logps.append(dist.log_prob(a))
        values.append(v)
        rewards.append(r)
        entropies.append(dist.entropy())
    ret, returns = agent(s)[1].detach(), []
    for r in reversed(rewards):
        ret = r + GAMMA * ret
        returns.insert(0, ret)
    returns, values, logps = torch.stack(returns), torch.stack(values), torch.stack(logps)
    delta = values - returns
    policy_loss = -(logps * delta.detach()).mean()
    value_loss = delta.square().mean()
    loss = policy_loss + 0.5 * value_loss - 0.003 * torch.stack(entropies).mean()
    opt.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(agent.parameters(), 0.5)
    opt.step()
    if update % 20 == 0:
        print(f"update {update:3d} policy {policy_loss.item():+.4f} value {value_loss.item():.4f} "
              f"reward per flight {torch.stack(rewards).sum(0).mean().item():.2f}")

s, total = reset(500), 0.0
with torch.no_grad():
    for _ in range(T):
        s, r = step(s, agent(s)[0].probs.argmax(1))
        total += r.mean().item()
print(f"greedy flights: reward {total:.2f}")
