"""Leaky units with fixed leaks follow the recent past of a stream; what is long ago is meant to be forgotten."""
import torch
from torch import nn


class LeakyUnits(nn.Module):
    def __init__(self, n_in, n_hidden, leaks):
        super().__init__()
        self.inp = nn.Linear(n_in, n_hidden)
        self.rec = nn.Linear(n_hidden, n_hidden, bias=False)
        nn.init.normal_(self.rec.weight, std=0.02)
        self.register_buffer("keep", torch.tensor(leaks).repeat(n_hidden // len(leaks)))
        self.out = nn.Linear(n_hidden, 2)

    def forward(self, x):
        h = x.new_zeros(len(x), len(self.keep))
        seen = []
        for t in range(x.shape[1]):
            h = self.keep * h + (1 - self.keep) * torch.tanh(self.inp(x[:, t]) + self.rec(h))
            seen.append(h)
        return self.out(torch.stack(seen, 1))


def stream(n, length=60):
    x = torch.randn(n, length, 2)
    slow = torch.zeros(n)
    target = []
    for t in range(length):
        slow = 0.8 * slow + 0.2 * x[:, t, 0]
        jump = x[:, t, 1] - (x[:, t - 1, 1] if t else 0)
        target.append(torch.stack([2 * slow, torch.relu(jump)], 1))
    return x, torch.stack(target, 1)


torch.manual_seed(0)
model = LeakyUnits(2, 48, [0.0, 0.3, 0.8])
opt = torch.optim.Adam(model.parameters(), lr=4e-3)
for step in range(300):
    x, y = stream(16)
    loss = nn.functional.smooth_l1_loss(model(x)[:, -12:], y[:, -12:])
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 30 == 0:
        print(f"step {step:3d} loss {loss.item():.4f}")
x, y = stream(200)
with torch.no_grad():
    rest = ((model(x) - y)[:, -12:] ** 2).mean((0, 1)) / y[:, -12:].var((0, 1))
print(f"held-out R2 of the trace {1 - rest[0].item():.3f}, of the jumps {1 - rest[1].item():.3f}")
