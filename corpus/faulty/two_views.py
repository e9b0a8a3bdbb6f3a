import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn.functional import normalize

torch.manual_seed(0)
digits = load_digits()
images = torch.tensor(digits.images / 16, dtype=torch.float32)


def view(batch):
    moved = torch.roll(batch, shifts=int(torch.randint(-1, 2, ())), dims=2)
    return (moved + 0.05 * torch.randn_like(moved)).flatten(1)


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 64))
        self.g = nn.Sequential(nn.ReLU(), nn.Linear(64, 32))

    def forward(self, x):
        return normalize(self.g(self.f(x)), dim=1)


def info_nce(a, b, tau=0.01):
    sim = a @ b.T / tau
    weights = torch.exp(sim)
    return -torch.log(weights.diag() / weights.sum(1)).mean()


encoder = Encoder()
opt = torch.optim.Adam(encoder.parameters(), lr=2e-3)
for step in range(400):
    idx = torch.randperm(len(images))[:64]
    loss = info_nce(encoder(view(images[idx])), encoder(view(images[idx])))
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 40 == 0:
        print(step, loss.item())

with torch.no_grad():
    idx = torch.arange(300)
    a, b = encoder(view(images[idx])), encoder(view(images[idx]))
    print("matched views:", ((a @ b.T).argmax(1) == idx).float().mean().item())
