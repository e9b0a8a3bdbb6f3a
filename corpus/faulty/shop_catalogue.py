import numpy as np
import torch
import torch.nn as nn

rng = np.random.default_rng(5)
torch.manual_seed(5)

# sales of 1500 articles in 40 shops: every article has a level of its own
ARTICLES, SHOPS, ROWS = 1500, 40, 36000
level = rng.normal(0, 1.0, ARTICLES)
shop = rng.normal(0, 0.4, SHOPS)
a = rng.integers(0, ARTICLES, ROWS)
s = rng.integers(0, SHOPS, ROWS)
price = rng.normal(0, 1, ROWS)
log_sales = level[a] + shop[s] - 0.5 * price + rng.normal(0, 0.2, ROWS)

a, s = torch.tensor(a), torch.tensor(s)
price = torch.tensor(price, dtype=torch.float32)
y = torch.tensor(log_sales, dtype=torch.float32)
train, test = torch.arange(0, 32000), torch.arange(32000, ROWS)


class SalesModel(nn.Module):
    def __init__(self, dim=8):
        super().__init__()
        self.article = nn.Embedding(ARTICLES, dim)
        self.shop = nn.Embedding(SHOPS, dim)
        self.mlp = nn.Sequential(nn.Linear(2 * dim + 1, 64), nn.ReLU(), nn.Linear(64, 1))

    def forward(self, a, s, price):
        h = torch.cat([self.article(a), self.shop(s), price[:, None]], 1)
        return self.mlp(h).squeeze(1)


net = SalesModel()
tables = [*net.article.parameters(), *net.shop.parameters()]
opt = torch.optim.SGD(
    [{"params": net.mlp.parameters(), "weight_decay": 1e-3},
     {"params": tables, "lr": 2.0, "weight_decay": 1e-3}],
    lr=0.05, momentum=0.9)

for epoch in range(8):
    losses = []
    for i in train[torch.randperm(len(train))].split(64):
        loss = nn.functional.mse_loss(net(a[i], s[i], price[i]), y[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
        losses.append(loss.item())
    with torch.no_grad():
        mse = nn.functional.mse_loss(net(a[test], s[test], price[test]), y[test]).item()
    print(f"epoch {epoch + 1}: train {np.mean(losses):.3f} test {mse:.3f}")
print(f"test R2 {1 - mse / y[test].var().item():.3f}")
