import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.distributions import Categorical

torch.manual_seed(7)
digits = load_digits()
contexts = torch.tensor(digits.data / 16, dtype=torch.float32)
best_arm = torch.tensor(digits.target)


class Policy(nn.Module):
    def __init__(self, n_obs, n_act):
        super().__init__()
        self.body = nn.Linear(n_obs, 64)
        self.logits = nn.Linear(64, n_act)

    def forward(self, obs):
        return Categorical(logits=self.logits(torch.tanh(self.body(obs))))


policy = Policy(64, 10)
optimizer = torch.optim.Adam(policy.parameters(), lr=5e-3)
baseline = 0.0
rewards = []

for episode in range(600):
    idx = torch.randint(0, len(contexts), (64,))
    pi = policy(contexts[idx])
    action = pi.sample()
    reward = (action == best_arm[idx]).float()
    advantage = reward - baseline
    baseline = 0.9 * baseline + 0.1 * reward.mean().item()

    policy_loss = (pi.log_prob(action) * advantage).mean()
    optimizer.zero_grad()
    policy_loss.backward()
    optimizer.step()

    rewards.append(reward.mean().item())
    if (episode + 1) % 60 == 0:
        print(f"{episode + 1:4d} loss {policy_loss.item():+.4f} mean reward {sum(rewards[-60:]) / 60:.3f}")
