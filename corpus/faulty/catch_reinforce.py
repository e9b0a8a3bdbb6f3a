"""Catch: a ball falls down a 7x7 board, the paddle on the bottom row moves left, stays or moves right."""
import torch
import torch.nn as nn
from torch.distributions import Categorical

torch.manual_seed(0)
SIZE, N_ENVS = 7, 64
BASE_LR = 2e-3


class Catch:
    def __init__(self, n):
        self.ball = torch.randint(0, SIZE, (n,))
        self.drift = torch.randint(-1, 2, (n,))
        self.paddle = torch.full((n,), SIZE // 2)
        self.row = 0

    def observe(self):
        n = len(self.ball)
        board = torch.zeros(n, SIZE, SIZE)
        board[torch.arange(n), self.row, self.ball] = 1.0 + 0.5 * self.drift
        board[torch.arange(n), SIZE - 1, self.paddle] = -1.0
        return board.flatten(1)

    def step(self, action):
        self.paddle = (self.paddle + action - 1).clamp(0, SIZE - 1)
        self.ball = (self.ball + (self.drift if self.row % 2 else 0)).clamp(0, SIZE - 1)
        self.row += 1
        if self.row == SIZE - 1:
            return torch.where(self.ball == self.paddle, 1.0, -1.0)
        return None


def play(policy, n, greedy=False):
    env, log_probs, reward = Catch(n), [], None
    while reward is None:
        dist = Categorical(logits=policy(env.observe()))
        action = dist.probs.argmax(1) if greedy else dist.sample()
        log_probs.append(dist.log_prob(action))
        reward = env.step(action)
    return torch.stack(log_probs), reward


policy = nn.Sequential(nn.Linear(SIZE * SIZE, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 3))
optimizer = torch.optim.Adam(policy.parameters(), lr=BASE_LR * N_ENVS)
history = []
for update in range(1, 401):
    log_probs, reward = play(policy, N_ENVS)
    loss = -(log_probs.sum(0) * (reward - reward.mean())).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    history.append((reward > 0).float().mean().item())
    if update % 50 == 0:
        print(f"update {update}: loss {loss.item():.3f}, caught {sum(history[-50:]) / 50:.3f}")
with torch.no_grad():
    print("caught in the test games:", (play(policy, 1000, greedy=True)[1] > 0).float().mean().item())
