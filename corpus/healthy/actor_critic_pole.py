"""Advantage actor-critic on many small cart-poles at once."""
import torch
from torch import nn


class Poles:
    def __init__(self, n):
        self.n = n
        self.state = self.fresh(n)
        self.age = torch.zeros(n)

    @staticmethod
    def fresh(n):
        return torch.rand(n, 4) * 0.1 - 0.05

    def step(self, action):
        x, v, th, w = self.state.unbind(1)
        force = action.float() * 20 - 10
        c, s = th.cos(), th.sin()
        tmp = (force + 0.05 * w**2 * s) / 1.1
        acc = (9.8 * s - c * tmp) / (0.5 * (4 / 3 - 0.1 * c**2 / 1.1))
        self.state = torch.stack([x + 0.02 * v, v + 0.02 * (tmp - 0.05 * acc * c / 1.1), th + 0.02 * w, w + 0.02 * acc], 1)
        self.age += 1
        done = (self.state[:, 0].abs() > 2.4) | (self.state[:, 2].abs() > 0.21) | (self.age >= 200)
        finished = self.age[done].tolist()
        self.state[done] = self.fresh(int(done.sum()))
        self.age[done] = 0
        return self.state.clone(), done.float(), finished


torch.manual_seed(26)
actor = nn.Sequential(nn.Linear(4, 48), nn.Tanh(), nn.Linear(48, 2))
critic = nn.Sequential(nn.Linear(4, 48), nn.Tanh(), nn.Linear(48, 1), nn.Flatten(0))
opt = torch.optim.Adam([{"params": actor.parameters(), "lr": 4e-3}, {"params": critic.parameters(), "lr": 8e-3}])
env = Poles(32)
obs = env.state.clone()
ages = []
scale = torch.tensor([1.0, 1.0, 5.0, 1.0])
for update in range(260):
    rows = []
    for _ in range(8):
        dist = torch.distributions.Categorical(logits=actor(obs * scale))
        a = dist.sample()
        nxt, done, finished = env.step(a)
        rows.append((dist.log_prob(a), critic(obs * scale), dist.entropy(), done))
        ages += finished
        obs = nxt
    with torch.no_grad():
        ret = critic(obs * scale)
    pi_loss = v_loss = ent = 0.0
    for logp, value, entropy, done in reversed(rows):
        ret = 0.1 + 0.97 * ret * (1 - done)
        adv = ret - value
        pi_loss = pi_loss - (logp * adv.detach()).mean() / 8
        v_loss = v_loss + adv.pow(2).mean() / 8
        ent = ent + entropy.mean() / 8
    loss = pi_loss + 0.5 * v_loss - 0.01 * ent
    opt.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_([*actor.parameters(), *critic.parameters()], 0.5)
    opt.step()
    if update % 20 == 19:
        recent = ages[-50:]
        print(update + 1, f"policy {pi_loss.item():+.4f} value {v_loss.item():.4f} episode length {sum(recent) / max(1, len(recent)):.1f}")
