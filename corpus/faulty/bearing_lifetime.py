import torch
from torch import nn

SECONDS_PER_CYCLE = 1800


def run_to_failure(n, length=30):
    """Vibration, temperature and current of bearings cut off at some point of their life."""
    life = torch.randint(80, 260, (n, 1)).float()
    seen = life * (0.2 + 0.75 * torch.rand(n, 1))
    clock = (seen - length + torch.arange(length)).clamp(min=0) / life
    wear = clock ** 2
    base = 0.1 * torch.randn(n, 1, 3)
    gain = torch.tensor([1.0, 0.7, -0.5])
    signal = wear.unsqueeze(-1) * gain * 3 - 1 + 0.3 * base + 0.08 * torch.randn(n, length, 3)
    rate = (200 / life).unsqueeze(-1).expand(-1, length, 1) - 1.2
    remaining = (life - seen).squeeze(1)
    return torch.cat([signal, rate], -1), remaining * SECONDS_PER_CYCLE


class LifetimeGRU(nn.Module):
    def __init__(self, hidden=48):
        super().__init__()
        self.rnn = nn.GRU(4, hidden, batch_first=True)
        self.drop = nn.Dropout(0.05)
        self.out = nn.Sequential(nn.Linear(hidden, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, x):
        _, h = self.rnn(x)
        return self.out(self.drop(h[-1])).squeeze(-1)


torch.manual_seed(8)
x, remaining = run_to_failure(2400)
xv, remaining_v = run_to_failure(500)
unit = 1.0
model = LifetimeGRU()
opt = torch.optim.RMSprop(model.parameters(), lr=1e-3)
huber = nn.SmoothL1Loss()
step = 0
for epoch in range(10):
    for idx in torch.randperm(len(x)).split(50):
        loss = huber(model(x[idx]), remaining[idx] / unit)
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        opt.step()
        step += 1
    print(f"epoch {epoch:2d} step {step} loss {loss.item():.4g}")

model.eval()
with torch.no_grad():
    hours = (model(xv) * unit - remaining_v).abs().mean() / 3600
    guess = (remaining.median() - remaining_v).abs().mean() / 3600
print(f"held-out error {hours.item():.2f} h, constant guess {guess.item():.2f} h")
