"""Draw the map of 400 towns from a few of the distances between them."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

N = 400
gen = torch.Generator().manual_seed(3)
centres = torch.randn(12, 2, generator=gen) * 1.5
towns = centres[torch.randint(0, 12, (N,), generator=gen)] + 0.5 * torch.randn(N, 2, generator=gen)
i, j = torch.triu_indices(N, N, 1)
distance = (towns[i] - towns[j]).norm(dim=1)
order = torch.randperm(len(i), generator=gen)
train, test = order[:9600], order[9600:19600]
loader = DataLoader(TensorDataset(i[train], j[train], distance[train]), batch_size=128, shuffle=True,
                    generator=torch.Generator().manual_seed(0))


class Atlas(nn.Module):
    def __init__(self, n, dim=3):
        super().__init__()
        self.place = nn.Embedding(n, dim)
        self.road = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 1))

    def forward(self, a, b):
        straight = (self.place(a) - self.place(b)).pow(2).sum(1).add(1e-4).sqrt()
        return straight + self.road(straight[:, None]).squeeze(1)


torch.manual_seed(0)
atlas = Atlas(N)
optimizer = torch.optim.AdamW([
    {"params": atlas.place.parameters(), "weight_decay": 6.0, "lr": 0.02},
    {"params": atlas.road.parameters(), "weight_decay": 0.01},
], lr=2e-3)
schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=[0.03, 3e-3], total_steps=10 * len(loader))

for epoch in range(10):
    total = 0.0
    for a, b, d in loader:
        optimizer.zero_grad()
        loss = nn.functional.smooth_l1_loss(atlas(a, b), d)
        loss.backward()
        optimizer.step()
        schedule.step()
        total += loss.item() / len(loader)
    print(f"epoch {epoch:2d} loss {total:.4f}")

with torch.no_grad():
    guess = atlas(i[test], j[test])
print(f"mean error on unseen pairs {(guess - distance[test]).abs().mean().item():.3f} "
      f"(always the mean: {(distance[test] - distance[train].mean()).abs().mean().item():.3f})")
