import torch
import torch.nn as nn
import torch.nn.functional as F


def simulate(n, length=40, seed=0):
    g = torch.Generator().manual_seed(seed)
    wet = (torch.rand(n, length, generator=g) < 0.3).float()
    rain = wet * torch.empty(n, length).exponential_(1.0, generator=g)
    warmth = torch.rand(n, length, generator=g)
    level = torch.zeros(n)
    for t in range(length):
        level = level * (1 - 0.05 - 0.1 * warmth[:, t]) + rain[:, t]
    return torch.stack([rain, warmth], dim=2), level


class Gauge(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.encoder = nn.LSTM(2, hidden, batch_first=True)
        self.readout = nn.Linear(hidden, 1)

    def forward(self, x):
        h, _ = self.encoder(x)
        out = self.readout(h)
        return out[:, -1, 0]


def train(model, x, y, epochs, batch_size=50):
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for epoch in range(epochs):
        perm = torch.randperm(len(x))
        losses = []
        for k in range(0, len(x), batch_size):
            idx = perm[k:k + batch_size]
            optimizer.zero_grad()
            loss = F.mse_loss(model(x[idx]), y[idx])
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            losses.append(loss.item())
        print(f"epoch {epoch:2d} mse {sum(losses) / len(losses):.4f}")


if __name__ == "__main__":
    torch.manual_seed(0)
    x, y = simulate(1500, seed=10)
    x_new, y_new = simulate(500, seed=11)
    center, spread = y.mean(), y.std()
    model = Gauge()
    train(model, x, (y - center) / spread, epochs=14)
    with torch.no_grad():
        guess = model(x_new) * spread + center
    print(f"r2 on new years {1 - F.mse_loss(guess, y_new) / y_new.var():.3f}, mse {F.mse_loss(guess, y_new):.4f}")
