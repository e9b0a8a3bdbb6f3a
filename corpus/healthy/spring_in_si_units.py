"""Recover mass, damping and stiffness of an oscillator in SI units: each parameter has a rate that suits its unit."""
import torch
from torch import nn

torch.manual_seed(0)
DT = 4e-4
TRUE = dict(mass=2.5, damping=60.0, stiffness=4.0e5)


class Oscillator(nn.Module):
    def __init__(self, mass, damping, stiffness):
        super().__init__()
        self.mass = nn.Parameter(torch.tensor(mass))
        self.damping = nn.Parameter(torch.tensor(damping))
        self.stiffness = nn.Parameter(torch.tensor(stiffness))

    def forward(self, force):
        x = v = torch.zeros(force.size(0))
        path = []
        for f in force.T:
            v = v + DT * (f - self.damping * v - self.stiffness * x) / self.mass
            x = x + DT * v
            path.append(x)
        return torch.stack(path, 1)


def excite(n, steps=60):
    return 500.0 * torch.randn(n, 6).repeat_interleave(steps // 6, dim=1)


with torch.no_grad():
    truth = Oscillator(**TRUE)
    force, test_force = excite(64), excite(32)
    moved = truth(force)
    moved = moved + 0.01 * moved.std() * torch.randn_like(moved)
    test_moved = truth(test_force)
    scale = moved.var()

model = Oscillator(mass=4.0, damping=20.0, stiffness=2.5e5)
optimizer = torch.optim.Adam([
    {"params": [model.mass], "lr": 0.02},
    {"params": [model.damping], "lr": 1.0},
    {"params": [model.stiffness], "lr": 3e3},
])
schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 400)
for step in range(400):
    rows = torch.randint(0, 64, (16,))
    loss = (model(force[rows]) - moved[rows]).pow(2).mean() / scale
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    schedule.step()
    if step % 50 == 0:
        print(f"{step}: {loss.item():.3e}  m {model.mass.item():.3f} c {model.damping.item():.2f} k {model.stiffness.item():.4g}")
with torch.no_grad():
    rest = (model(test_force) - test_moved).pow(2).mean() / test_moved.pow(2).mean()
print(f"m {model.mass.item():.3f} c {model.damping.item():.2f} k {model.stiffness.item():.4g}, unexplained on new forces {rest.item():.2e}")
