"""PPO on a small grid: fetch the letter, then bring it to the door."""
import torch
from torch import nn

torch.manual_seed(0)
SIZE, LIMIT = 4, 30
MOVES = [(0, 1), (1, 0), (0, -1), (-1, 0)]


def observe(pos, letter, has):
    v = torch.zeros(4 * SIZE + 1)
    v[pos[0]] = v[SIZE + pos[1]] = v[2 * SIZE + letter[0]] = v[3 * SIZE + letter[1]] = 1.0
    v[-1] = float(has)
    return v


class Agent(nn.Module):
    def __init__(self):
        super().__init__()
        self.actor = nn.Sequential(nn.Linear(4 * SIZE + 1, 64), nn.Tanh(), nn.Linear(64, 4))
        self.critic = nn.Sequential(nn.Linear(4 * SIZE + 1, 64), nn.Tanh(), nn.Linear(64, 1))


@torch.no_grad()
def episode(agent):
    pos = [int(i) for i in torch.randint(0, SIZE, (2,))]
    letter = [int(i) for i in torch.randint(0, SIZE, (2,))]
    has, rows = pos == letter, []
    for _ in range(LIMIT):
        obs = observe(pos, letter, has)
        logp = agent.actor(obs).log_softmax(-1)
        a = (logp - torch.empty(4).exponential_().log()).argmax()
        pos = [min(max(p + m, 0), SIZE - 1) for p, m in zip(pos, MOVES[a])]
        reward = -0.05
        if not has and pos == letter:
            has, reward = True, 0.5
        done = has and pos == [0, 0]
        rows.append((obs, a, logp[a], reward + done))
        if done:
            break
    ret, returns = 0.0, []
    for r in reversed(rows):
        ret = r[3] + 0.95 * ret
        returns.insert(0, ret)
    return rows, returns, done


agent = Agent()
opt = torch.optim.Adam(agent.parameters(), lr=2e-3)
for iteration in range(60):
    rows, returns, finished = [], [], []
    for _ in range(8):
        r, g, done = episode(agent)
        rows, returns, finished = rows + r, returns + g, finished + [done]
    obs, act, old = (torch.stack([r[i] for r in rows]) for i in range(3))
    returns = torch.tensor(returns)
    adv = returns - agent.critic(obs).squeeze(-1).detach()
    for _ in range(4):
        for idx in torch.randperm(len(obs)).split(16):
            a = (adv[idx] - adv[idx].mean()) / (adv[idx].std(unbiased=False) + 1e-8)
            logp = agent.actor(obs[idx]).log_softmax(-1)
            ratio = (logp.gather(1, act[idx, None]).squeeze(1) - old[idx]).exp()
            gain = torch.minimum(ratio * a, ratio.clamp(0.8, 1.2) * a).mean()
            value = (agent.critic(obs[idx]).squeeze(-1) - returns[idx]).pow(2).mean()
            opt.zero_grad()
            (0.5 * value - gain).backward()
            opt.step()
    if iteration % 6 == 0:
        print(f"iteration {iteration} steps {len(obs) / 8:.1f} done {sum(finished) / 8:.2f} value loss {value.item():.4f}")
tests = [episode(agent) for _ in range(100)]
print(f"final: delivered {sum(t[2] for t in tests) / 100:.2f}, mean steps {sum(len(t[0]) for t in tests) / 100:.1f}")
