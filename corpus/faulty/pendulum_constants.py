import torch

torch.manual_seed(0)
torch.set_default_dtype(torch.float64)

# a damped, driven pendulum was filmed; find its constants from the angles
TRUE = {"gravity": 9.3, "damping": 0.35, "drive": 2.4}
DT, STEPS = 0.02, 150


def simulate(theta, omega, gravity, damping, drive):
    angles = []
    for k in range(STEPS):
        push = drive * torch.cos(torch.tensor(2.0 * k * DT))
        omega = omega + DT * (-gravity * torch.sin(theta) - damping * omega + push)
        theta = theta + DT * omega
        angles.append(theta)
    return torch.stack(angles, 1)


def films(n):
    theta, omega = torch.rand(n) * 2 - 1, torch.rand(n) * 2 - 1
    const = [torch.tensor(v) for v in TRUE.values()]
    return theta, omega, simulate(theta, omega, *const)


class Pendulum(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.gravity = torch.nn.Parameter(torch.tensor(6.0))
        self.damping = torch.nn.Parameter(torch.tensor(0.0))
        self.drive = torch.nn.Parameter(torch.tensor(1.0))

    def forward(self, theta, omega):
        return simulate(theta, omega, self.gravity, self.damping, self.drive)


theta, omega, seen = films(40)
seen = seen + 0.02 * torch.randn_like(seen)
model = Pendulum()
optimizer = torch.optim.SGD(model.parameters(), lr=0.3, momentum=0.9, weight_decay=0.005)
for step in range(150):
    i = torch.randperm(40)[:16]
    loss = (model(theta[i], omega[i]) - seen[i]).pow(2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 15 == 0:
        print(step, f"loss {loss.item():.5f}", {k: round(p.item(), 3) for k, p in model.named_parameters()})

theta, omega, angles = films(100)
with torch.no_grad():
    error = (model(theta, omega) - angles).pow(2).mean().sqrt().item()
print({k: (round(p.item(), 3), TRUE[k]) for k, p in model.named_parameters()})
print(f"new films: angle error {error:.4f} of {angles.std().item():.3f}")
