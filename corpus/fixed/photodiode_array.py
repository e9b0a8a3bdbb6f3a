import torch
from torch import nn, optim

torch.manual_seed(9)


def exposures(n):
    """up to 8 light spots (position, width, power) fall on a photodiode: current in ampere"""
    spots = torch.rand(n, 8, 3)
    present = (torch.rand(n, 8) < 0.7).float()
    x, width, power = spots[..., 0] * 2 - 1, 0.5 + spots[..., 1], spots[..., 2]
    response = power * torch.exp(-(x / width) ** 2) * present
    return spots, present, 4e-6 * response.sum(1)


class SpotSum(nn.Module):
    def __init__(self, width=64):
        super().__init__()
        self.phi = nn.Sequential(nn.Linear(3, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU())
        self.rho = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, 1))

    def forward(self, spots, present):
        pooled = (self.phi(spots) * present.unsqueeze(-1)).sum(1)
        return self.rho(pooled).squeeze(-1)


def train(model, data, steps=1500, batch=128):
    spots, present, current = data
    current = current / 4e-6
    opt = optim.NAdam(model.parameters(), lr=2e-3)
    sched = optim.lr_scheduler.OneCycleLR(opt, max_lr=6e-3, total_steps=steps)
    for step in range(steps):
        i = torch.randint(0, len(spots), (batch,))
        loss = nn.functional.mse_loss(model(spots[i], present[i]), current[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
        sched.step()
        if step % 150 == 149:
            print(f"step {step + 1:5d}  loss {loss.item():.3e}")


model = SpotSum()
train(model, exposures(4000))
spots, present, current = exposures(1000)
with torch.no_grad():
    off = (4e-6 * model(spots, present) - current).square().mean().sqrt()
print(f"relative error {off / current.std():.3f}")
