import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F


class Codebook(nn.Module):
    def __init__(self, size=64, dim=8, decay=0.95):
        super().__init__()
        self.decay = decay
        self.register_buffer("codes", torch.randn(size, dim))
        self.register_buffer("counts", torch.ones(size))
        self.register_buffer("sums", self.codes.clone())

    def forward(self, z):
        pick = torch.cdist(z.detach(), self.codes).argmin(-1)
        if self.training:
            with torch.no_grad():
                hits = F.one_hot(pick, len(self.codes)).float()
                self.counts.lerp_(hits.sum(0), 1 - self.decay)
                self.sums.lerp_(hits.T @ z, 1 - self.decay)
                self.codes.copy_(self.sums / self.counts.clamp(min=1e-3).unsqueeze(1))
        q = self.codes[pick]
        commitment = F.mse_loss(z, q.detach())
        return z + (q - z).detach(), commitment, pick


class VQAutoencoder(nn.Module):
    def __init__(self, slots=8, dim=8):
        super().__init__()
        self.slots, self.dim = slots, dim
        self.encode = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, slots * dim))
        self.book = Codebook(64, dim)
        self.decode = nn.Sequential(nn.Linear(slots * dim, 128), nn.ReLU(), nn.Linear(128, 64), nn.Sigmoid())

    def forward(self, x):
        z = self.encode(x).view(-1, self.dim)
        q, commitment, pick = self.book(z)
        return self.decode(q.view(len(x), -1)), commitment, pick


if __name__ == "__main__":
    torch.manual_seed(0)
    data = torch.tensor(load_digits().data / 16.0, dtype=torch.float32)
    data = data[torch.randperm(len(data))]
    train, test = data[:1400], data[1400:]
    model = VQAutoencoder()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    for step in range(1200):
        x = train[torch.randint(0, len(train), (64,))]
        recon, commitment, _ = model(x)
        loss = F.mse_loss(recon, x) + 0.02 * commitment
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 200 == 0:
            print(f"step {step:4d}  loss {loss.item():.4f}  commitment {commitment.item():.4f}")
    model.eval()
    with torch.no_grad():
        recon, _, pick = model(test)
    print(f"codes in use {pick.unique().numel()} of 64")
    print(f"test mse {F.mse_loss(recon, test):.4f}, variance of the pixels {(test - train.mean(0)).pow(2).mean():.4f}")
