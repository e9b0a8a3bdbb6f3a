"""REINFORCE in a small maze whose reward is drowned in noise; one episode batch per update."""
import torch
import torch.nn as nn

MAZE = ["S...#",
        ".##.#",
        "...#.",
        "#..*.",
        "..#.."]
SIZE, HORIZON, RUNS = 5, 12, 24
walls = torch.tensor([[c == "#" for c in row] for row in MAZE]).flatten()
goal = "".join(MAZE).index("*")
moves = torch.tensor([[-1, 0], [1, 0], [0, -1], [0, 1]])

torch.manual_seed(2)
policy = nn.Sequential(nn.Embedding(SIZE * SIZE, 24), nn.Tanh(), nn.Linear(24, 4))
optimizer = torch.optim.RMSprop(policy.parameters(), lr=0.01)


def episodes(n, greedy=False):
    place = torch.zeros(n, dtype=torch.long)
    done = torch.zeros(n, dtype=torch.bool)
    logps, rewards = [], []
    for _ in range(HORIZON):
        dist = torch.distributions.Categorical(logits=policy(place))
        action = dist.probs.argmax(1) if greedy else dist.sample()
        row, col = place // SIZE + moves[action, 0], place % SIZE + moves[action, 1]
        target = row.clamp(0, SIZE - 1) * SIZE + col.clamp(0, SIZE - 1)
        target = torch.where(walls[target] | done, place, target)
        arrived = (target == goal) & ~done
        logps.append(dist.log_prob(action) * ~done)
        rewards.append(10.0 * arrived - 0.2 * ~done + 3.0 * torch.randn(n) * ~done)
        place, done = target, done | arrived
    return torch.stack(logps), torch.stack(rewards), done


average = 0.0
for update in range(600):
    logps, rewards, done = episodes(RUNS)
    to_go = rewards.flip(0).cumsum(0).flip(0)
    loss = -(logps * (to_go - average)).sum(0).mean()
    average = 0.95 * average + 0.05 * to_go[0].mean().item()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if update % 60 == 0:
        print(f"update {update:3d} loss {loss.item():9.3f} arrived {done.float().mean().item():.2f} return {average:.2f}")

with torch.no_grad():
    reached = episodes(500)[2].float().mean().item()
    straight = episodes(1, greedy=True)[2].item()
print(f"sampled runs that arrive {reached:.3f}, greedy run arrives: {straight}")
