import torch
from sklearn.datasets import load_digits
from torch.distributions import Categorical

torch.manual_seed(15)
d = load_digits()
ctx = torch.tensor(d.data / 16).float()
best = torch.tensor(d.target)

policy = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.Tanh(), torch.nn.Linear(64, 10))
opt = torch.optim.Adam(policy.parameters(), lr=4e-3)
baseline = 0.1
for round_ in range(900):
    i = torch.randint(len(ctx), (128,))
    dist = Categorical(logits=policy(ctx[i]))
    a = dist.sample()
    reward = (a == best[i]).float()
    loss = -(dist.log_prob(a) * (reward - baseline)).mean() - 0.01 * dist.entropy().mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    baseline += 0.05 * (reward.mean().item() - baseline)
    if round_ % 60 == 0:
        print(f"round {round_:4d} surrogate {loss.item():+.4f} mean reward {reward.mean().item():.3f}")
with torch.no_grad():
    print("greedy reward", (policy(ctx).argmax(1) == best).float().mean().item())
