import copy
import random
from collections import deque

import torch
from torch import nn

torch.manual_seed(0)
random.seed(0)
SIZE = 5
GOAL = (4, 4)
WALLS = {(1, 1), (1, 2), (1, 3), (3, 1), (3, 2), (3, 4)}


def act(pos, a):
    dr, dc = ((-1, 0), (1, 0), (0, -1), (0, 1))[a]
    nxt = (min(max(pos[0] + dr, 0), SIZE - 1), min(max(pos[1] + dc, 0), SIZE - 1))
    if nxt in WALLS:
        nxt = pos
    return nxt, (1.0 if nxt == GOAL else -0.02), nxt == GOAL


def encode(pos):
    v = torch.zeros(SIZE * SIZE)
    v[pos[0] * SIZE + pos[1]] = 1.0
    return v


q = nn.Sequential(nn.Linear(25, 64), nn.ReLU(), nn.Linear(64, 4))
target = copy.deepcopy(q)
opt = torch.optim.Adam(q.parameters(), lr=2e-3)
memory = deque(maxlen=3000)
updates, eps, lengths = 0, 1.0, []

for episode in range(110):
    pos, done, n = (0, 0), False, 0
    while not done and n < 40:
        if random.random() < eps:
            a = random.randrange(4)
        else:
            with torch.no_grad():
                a = q(encode(pos)).argmax().item()
        nxt, r, done = act(pos, a)
        memory.append((encode(pos), a, r, encode(nxt), float(done)))
        pos, n = nxt, n + 1
        if len(memory) >= 64:
            s, a_, r_, s2, d_ = zip(*random.sample(memory, 32))
            with torch.no_grad():
                goal = torch.tensor(r_) + 0.95 * (1 - torch.tensor(d_)) * target(torch.stack(s2)).max(1).values
            pred = q(torch.stack(s)).gather(1, torch.tensor(a_)[:, None]).squeeze(1)
            loss = nn.functional.smooth_l1_loss(pred, goal)
            opt.zero_grad()
            loss.backward()
            opt.step()
            updates += 1
            if updates % 100 == 0:
                target.load_state_dict(q.state_dict())
    eps = max(0.05, eps * 0.96)
    lengths.append(n)
    if episode % 10 == 9:
        print(f"episode {episode + 1} updates {updates} loss {loss.item():.5f} mean length {sum(lengths[-10:]) / 10:.1f}")

pos, n, done = (0, 0), 0, False
while not done and n < 40:
    with torch.no_grad():
        pos, _, done = act(pos, q(encode(pos)).argmax().item())
    n += 1
print("greedy path length", n, "reached", done)
