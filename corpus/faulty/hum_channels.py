"""Which machine is humming? Second-order pooling over an array of eight microphones."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
MICS, FRAMES, MACHINES = 8, 300, 5
mixing = torch.randn(MICS, MICS) + 0.35 * torch.randn(MACHINES, MICS, MICS)


def record(n):
    which = torch.arange(n) % MACHINES
    sources = torch.randn(n, MICS, FRAMES)
    return mixing[which] @ sources + 3.0 * torch.randn(n, MICS, FRAMES), which


class CovariancePool(nn.Module):
    def forward(self, h):
        h = h.half()
        cov = torch.bmm(h, h.transpose(1, 2)) / h.shape[-1]
        return cov.float().flatten(1) / 10


class HumNet(nn.Module):
    def __init__(self, width=12):
        super().__init__()
        self.front = nn.Sequential(nn.Conv1d(MICS, 24, 1), nn.LeakyReLU(0.3), nn.Conv1d(24, width, 1))
        self.gain = nn.Parameter(torch.tensor(5.0))
        self.pool = CovariancePool()
        self.head = nn.Linear(width * width, MACHINES)

    def forward(self, x):
        return self.head(self.pool(self.gain * self.front(x)))


train, test = record(600), record(300)
loader = DataLoader(TensorDataset(*train), batch_size=30, shuffle=True)
net = HumNet()
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
for epoch in range(10):
    running = 0.0
    for x, k in loader:
        loss = nn.functional.cross_entropy(net(x), k)
        opt.zero_grad()
        loss.backward()
        opt.step()
        running += loss.item() / len(loader)
    with torch.no_grad():
        acc = (net(test[0]).argmax(1) == test[1]).float().mean().item()
    print(f"epoch {epoch} loss {running:.4f} held-out accuracy {acc:.3f}")
