import torch
from torch import nn
from torch.distributions import Normal

torch.manual_seed(0)
ENVS, HORIZON = 128, 12


class Policy(nn.Module):
    def __init__(self):
        super().__init__()
        self.mu = nn.Sequential(nn.Linear(3, 64), nn.Tanh(), nn.Linear(64, 1))
        self.log_std = nn.Parameter(torch.zeros(1))

    def dist(self, s):
        return Normal(self.mu(s).squeeze(1), self.log_std.exp())


def start(n):
    return torch.cat([torch.randn(n, 2), torch.rand(n, 1) - 0.5], 1)


def move(s, a):
    """position, speed, wind: keep the boat at the buoy"""
    speed = 0.8 * s[:, 1] + 0.3 * a.clamp(-2, 2) + 0.3 * s[:, 2]
    pos = s[:, 0] + 0.5 * speed
    reward = -pos.square() - 0.05 * a.square()
    return torch.stack([pos, speed, s[:, 2]], 1), reward


policy, critic = Policy(), nn.Sequential(nn.Linear(3, 64), nn.Tanh(), nn.Linear(64, 1))
opt_p = torch.optim.Adam(policy.parameters(), lr=3e-3)
opt_c = torch.optim.Adam(critic.parameters(), lr=5e-3)

for it in range(50):
    s = start(ENVS)
    S, A, L, R = [], [], [], []
    with torch.no_grad():
        for _ in range(HORIZON):
            d = policy.dist(s)
            a = d.sample()
            S.append(s), A.append(a), L.append(d.log_prob(a))
            s, r = move(s, a)
            R.append(r)
        g, G = torch.zeros(ENVS), []
        for r in reversed(R):
            g = r + 0.9 * g
            G.insert(0, g)
    S, A, L, G = torch.cat(S), torch.cat(A), torch.cat(L), torch.cat(G)
    with torch.no_grad():
        adv = G - critic(S).squeeze(1)
        adv = (adv - adv.mean()) / adv.std()
    for _ in range(3):
        for i in torch.randperm(len(S)).split(384):
            d = policy.dist(S[i])
            ratio = (d.log_prob(A[i]) - L[i]).exp()
            surrogate = torch.min(ratio * adv[i], ratio.clamp(0.8, 1.2) * adv[i]).mean()
            loss = -surrogate - 0.002 * d.entropy().mean()
            opt_p.zero_grad()
            loss.backward()
            opt_p.step()
            value_loss = (critic(S[i]).squeeze(1) - G[i]).square().mean()
            opt_c.zero_grad()
            value_loss.backward()
            opt_c.step()
    if it % 5 == 4:
        print(f"iteration {it + 1} loss {loss.item():+.4f} value {value_loss.item():.3f} reward {torch.stack(R).sum(0).mean().item():.2f}")

def judge(act):
    torch.manual_seed(99)
    s, total = start(1000), 0.0
    with torch.no_grad():
        for _ in range(HORIZON):
            s, r = move(s, act(s))
            total += r.mean().item()
    return total


print(f"reward of the policy {judge(lambda s: policy.mu(s).squeeze(1)):.2f}, hands off {judge(lambda s: torch.zeros(len(s))):.2f}")
