"""Advantage actor-critic: keep a raft in the middle of a windy channel."""
import torch
import torch.nn as nn
from torch.distributions import Categorical


class Channel:
    """`n` rafts side by side; three rudder positions, reward 1 while near the middle."""

    def __init__(self, n, generator):
        self.n, self.g = n, generator

    def reset(self):
        self.x = 2 * torch.rand(self.n, generator=self.g) - 1
        self.v = torch.zeros(self.n)
        self.wind = 0.08 * torch.randn(self.n, generator=self.g)
        return self.observe()

    def observe(self):
        return torch.stack([self.x, 5 * self.v, 10 * self.wind], 1)

    def step(self, rudder):
        gust = 0.02 * torch.randn(self.n, generator=self.g)
        self.v = 0.8 * self.v + 0.15 * (rudder.float() - 1) + 0.5 * self.wind + gust
        self.x = (self.x + self.v).clamp(-2, 2)
        return self.observe(), (self.x.abs() < 0.3).float()


class ActorCritic(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(3, 64), nn.Tanh())
        self.policy = nn.Linear(64, 3)
        self.value = nn.Linear(64, 1)

    def forward(self, s):
        h = self.trunk(s)
        return Categorical(logits=self.policy(h)), self.value(h).squeeze(-1)


def rollout(net, env, horizon=25):
    s, logps, values, rewards, entropies = env.reset(), [], [], [], []
    for _ in range(horizon):
        dist, v = net(s)
        a = dist.sample()
        s, r = env.step(a)
        logps.append(dist.log_prob(a))
        values.append(v)
        rewards.append(r)
        entropies.append(dist.entropy())
    return torch.stack(logps), torch.stack(values), torch.stack(rewards), torch.stack(entropies)


torch.manual_seed(0)
net = ActorCritic()
env = Channel(32, torch.Generator().manual_seed(1))
opt = torch.optim.Adam(net.parameters(), lr=7e-3)
for update in range(160):
    logps, values, rewards, entropy = rollout(net, env)
    returns, g = torch.zeros_like(rewards), torch.zeros(env.n)
    for t in reversed(range(len(rewards))):
        g = rewards[t] + 0.9 * g
        returns[t] = g
    advantage = values - returns
    actor_loss = -(logps * advantage.detach()).mean()
    critic_loss = advantage.pow(2).mean()
    loss = actor_loss + 0.5 * critic_loss - 0.005 * entropy.mean()
    opt.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 0.5)
    opt.step()
    if update % 20 == 0:
        print(f"update {update:3d} loss {loss.item():.3f} reward per step {rewards.mean().item():.3f}")

with torch.no_grad():
    trained = rollout(net, Channel(500, torch.Generator().manual_seed(9)))[2].mean().item()
    untrained = rollout(ActorCritic(), Channel(500, torch.Generator().manual_seed(9)))[2].mean().item()
print(f"reward per step on new channels {trained:.3f} (an untrained policy: {untrained:.3f})")
