import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split


def make_ratings(n_users, n_items, n_ratings, generator):
    taste = torch.randn(n_users, 3, generator=generator)
    genre = torch.randn(n_items, 3, generator=generator)
    generous = 0.5 * torch.randn(n_users, generator=generator)
    quality = 0.7 * torch.randn(n_items, generator=generator)
    u = torch.randint(0, n_users, (n_ratings,), generator=generator)
    i = torch.randint(0, n_items, (n_ratings,), generator=generator)
    r = 3.0 + generous[u] + quality[i] + 0.7 * (taste[u] * genre[i]).sum(1)
    return u, i, r + 0.15 * torch.randn(n_ratings, generator=generator)


class Factorisation(nn.Module):
    def __init__(self, n_users, n_items, rank=6):
        super().__init__()
        self.user = nn.Embedding(n_users, rank)
        self.item = nn.Embedding(n_items, rank)
        self.user_bias = nn.Embedding(n_users, 1)
        self.item_bias = nn.Embedding(n_items, 1)
        self.mean = nn.Parameter(torch.tensor(3.0))
        for table in (self.user, self.item):
            nn.init.normal_(table.weight, std=0.1)
        for table in (self.user_bias, self.item_bias):
            nn.init.zeros_(table.weight)

    def forward(self, u, i):
        p, q = self.user.weight[u], self.item.weight[i]
        bias = self.user_bias(u) + self.item_bias(i)
        return self.mean + bias.squeeze(1) + (p * q).sum(1)


def run(epochs=12, seed=0):
    g = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    data = TensorDataset(*make_ratings(250, 120, 14000, g))
    train, test = random_split(data, [12000, 2000], generator=g)
    loader = DataLoader(train, batch_size=128, shuffle=True)
    model = Factorisation(250, 120)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for epoch in range(1, epochs + 1):
        seen = 0.0
        for u, i, r in loader:
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(u, i), r)
            loss.backward()
            optimizer.step()
            seen += loss.item() * len(r)
        print(f"epoch {epoch:2d}  train mse {seen / len(train):.4f}")
    u, i, r = test[:]
    with torch.no_grad():
        rmse = (model(u, i) - r).pow(2).mean().sqrt()
    print(f"held-out rmse {rmse:.3f}  (constant guess {r.std():.3f})")


if __name__ == "__main__":
    run()
