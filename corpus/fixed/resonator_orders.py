"""Tell four resonators apart by the second-order statistics of their sound."""
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
LENGTH = 600
POLES = [(1.2, -0.72), (0.3, -0.72), (-0.6, -0.72), (-1.3, -0.72)]


def record(n):
    label = torch.randint(0, 4, (n,))
    a = torch.tensor(POLES)[label]
    wave = torch.zeros(n, LENGTH + 2)
    noise = torch.randn(n, LENGTH + 2)
    for t in range(2, LENGTH + 2):
        wave[:, t] = a[:, 0] * wave[:, t - 1] + a[:, 1] * wave[:, t - 2] + noise[:, t]
    loudness = torch.exp(0.8 * torch.randn(n, 1))
    return (loudness * wave[:, 2:] + 0.5 * torch.randn(n, LENGTH)).unsqueeze(1), label


class SecondOrder(nn.Module):
    def forward(self, f):
        gram = (f / f.shape[-1]) @ f.transpose(1, 2)
        root = gram.sign() * (gram.abs() + 1e-3).sqrt()
        return root.flatten(1)


class Listener(nn.Module):
    def __init__(self, width=8):
        super().__init__()
        self.filters = nn.Conv1d(1, width, 7, stride=2)
        self.gain = nn.Parameter(torch.full((1, width, 1), 3.0))
        self.pool = SecondOrder()
        self.norm = nn.LayerNorm(width * width)
        self.head = nn.Linear(width * width, 4)

    def forward(self, x):
        f = self.filters(x) * self.gain
        return self.head(self.norm(self.pool(f)))


train_x, train_y = record(512)
test_x, test_y = record(400)
net = Listener()
opt = torch.optim.Adam(net.parameters(), lr=2e-3)
scaler = torch.amp.GradScaler("cpu")
for epoch in range(8):
    for idx in torch.randperm(512).split(32):
        opt.zero_grad()
        with torch.autocast("cpu", dtype=torch.float16):
            loss = F.cross_entropy(net(train_x[idx]), train_y[idx])
        scaler.scale(loss).backward()
        scaler.step(opt)
        scaler.update()
    print(f"epoch {epoch} loss {loss.item():.4f}")
net.eval()
with torch.no_grad(), torch.autocast("cpu", dtype=torch.float16):
    hits = (net(test_x).argmax(1) == test_y).float().mean()
print(f"held-out accuracy {hits.item():.3f}")
