import copy

import torch
import torch.nn as nn


def mlp(n_in, n_out):
    return nn.Sequential(nn.Linear(n_in, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, n_out))


class Actor(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = mlp(4, 2)

    def forward(self, s):
        return torch.tanh(self.body(s))


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = mlp(6, 1)

    def forward(self, s, a):
        return self.body(torch.cat([s, a], dim=-1)).squeeze(-1)


def reset(n):
    return torch.rand(n, 4) * 2 - 1


def env_step(s, a):
    hand = (s[:, :2] + 0.2 * a).clamp(-1.5, 1.5)
    reward = -(hand - s[:, 2:]).norm(dim=1)
    return torch.cat([hand, s[:, 2:]], dim=1), reward


@torch.no_grad()
def evaluate(actor, n=200):
    s = torch.rand(n, 4, generator=torch.Generator().manual_seed(7)) * 2 - 1
    for _ in range(15):
        s, r = env_step(s, actor(s))
    return -r.mean().item()


torch.manual_seed(3)
gamma, tau = 0.9, 0.02
actor, critic = Actor(), Critic()
actor_target, critic_target = copy.deepcopy(actor), copy.deepcopy(critic)
actor_opt = torch.optim.Adam(actor.parameters(), lr=1e-3)
critic_opt = torch.optim.Adam(critic.parameters(), lr=2e-3)
memory = []
state = reset(16)

for t in range(900):
    with torch.no_grad():
        action = (actor(state) + 0.4 * torch.randn(16, 2)).clamp(-1, 1)
    following, reward = env_step(state, action)
    memory.append((state, action, reward, following))
    state = reset(16) if t % 15 == 14 else following
    if t < 20:
        continue
    picks = [memory[i] for i in torch.randint(0, len(memory), (8,)).tolist()]
    s, a, r, s2 = (torch.cat(field) for field in zip(*picks))
    with torch.no_grad():
        goal = r + gamma * critic_target(s2, actor_target(s2))
    critic_loss = nn.functional.mse_loss(critic(s, a), goal)
    critic_opt.zero_grad()
    critic_loss.backward()
    critic_opt.step()
    actor_loss = critic(s, actor(s)).mean()
    actor_opt.zero_grad()
    actor_loss.backward()
    actor_opt.step()
    for live, slow in ((actor, actor_target), (critic, critic_target)):
        for p, q in zip(live.parameters(), slow.parameters()):
            q.data.lerp_(p.data, tau)
    if t % 150 == 0:
        print(f"t {t:3d}  critic {critic_loss.item():.4f}  actor {actor_loss.item():.3f}  distance {evaluate(actor):.3f}")

print(f"mean distance to the goal after 15 moves: {evaluate(actor):.3f}")
