"""Score of a swiss roll by denoising at many noise levels; new points come from Langevin steps."""
import math
import torch
from sklearn.datasets import make_swiss_roll
from torch import nn

roll = torch.tensor(make_swiss_roll(4000, noise=0.2, random_state=0)[0][:, [0, 2]]).float() / 8
train, held_out = roll[:3000], roll[3000:]
SIGMAS = torch.logspace(math.log10(1.5), math.log10(0.03), 12)


class Score(nn.Module):
    def __init__(self, width=96):
        super().__init__()
        self.level = nn.Embedding(len(SIGMAS), width)
        self.inp = nn.Linear(2, width)
        self.mid = nn.Sequential(nn.SiLU(), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU())
        self.out = nn.Linear(width, 2)

    def forward(self, x, k):
        return self.out(self.mid(self.inp(x) + self.level(k))) / SIGMAS[k, None]


torch.manual_seed(0)
score = Score()
optimizer = torch.optim.Adam(score.parameters(), lr=3e-3)
schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 1600)
for step in range(1600):
    x = train[torch.randint(0, len(train), (256,))]
    k = torch.randint(0, len(SIGMAS), (256,))
    sigma = SIGMAS[k, None]
    noise = torch.randn_like(x)
    loss = (score(x + sigma * noise, k) + noise / sigma).pow(2).sum(1).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    schedule.step()
    if step % 160 == 0:
        print(f"step {step} loss {loss.item():.3f}")


def energy_distance(a, b):
    return (2 * torch.cdist(a, b).mean() - torch.cdist(a, a).mean() - torch.cdist(b, b).mean()).item()


with torch.no_grad():
    points = 1.5 * torch.randn(1000, 2)
    start = energy_distance(points, held_out)
    for level, sigma in enumerate(SIGMAS):
        k = torch.full((1000,), level)
        eta = 0.1 * sigma ** 2
        for _ in range(30):
            points = points + eta * score(points, k) + (2 * eta).sqrt() * torch.randn_like(points)
    final = energy_distance(points, held_out)
print(f"energy distance to held-out points: {final:.4f} (before {start:.4f}, real points {energy_distance(train[:1000], held_out):.4f})")
