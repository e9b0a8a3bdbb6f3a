# contextual bandit: the context is an image, an arm pays 1 if it is the right digit
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.distributions import Categorical

torch.manual_seed(8)
X, y = load_digits(return_X_y=True)
X = torch.tensor(X / 16.0, dtype=torch.float32)
y = torch.tensor(y)

policy = nn.Sequential(nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 10))
optimizer = torch.optim.Adam(policy.parameters(), lr=3e-3)
baseline = 0.1

for episode in range(1, 1501):
    idx = torch.randint(0, len(X), (64,))
    dist = Categorical(logits=policy(X[idx]))
    action = dist.sample()
    reward = (action == y[idx]).float()
    advantage = reward - baseline
    loss = (dist.log_prob(action) * advantage).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    baseline = 0.95 * baseline + 0.05 * reward.mean().item()
    if episode % 150 == 0:
        with torch.no_grad():
            greedy = (policy(X).argmax(1) == y).float().mean().item()
        print(f"episode {episode}  mean reward {baseline:.3f}  greedy accuracy {greedy:.3f}")
