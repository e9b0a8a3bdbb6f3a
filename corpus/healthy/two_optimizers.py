"""Embedding table on Adagrad, network on SGD."""
import torch
from torch import nn

torch.manual_seed(0)
users, items = 120, 80
true_u, true_i = torch.randn(users, 4), torch.randn(items, 4)


class Recommender(nn.Module):
    def __init__(self):
        super().__init__()
        self.u, self.i = nn.Embedding(users, 8), nn.Embedding(items, 8)
        self.mlp = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, u, i):
        a, b = self.u(u), self.i(i)
        return (a * b).sum(1) + self.mlp(torch.cat([a, b], 1)).squeeze(1)


model = Recommender()
table_opt = torch.optim.Adagrad([*model.u.parameters(), *model.i.parameters()], lr=0.2)
net_opt = torch.optim.SGD(model.mlp.parameters(), lr=0.01, momentum=0.9)
for step in range(1200):
    u, i = torch.randint(users, (256,)), torch.randint(items, (256,))
    rating = (true_u[u] * true_i[i]).sum(1) / 2
    loss = nn.functional.mse_loss(model(u, i), rating)
    table_opt.zero_grad()
    net_opt.zero_grad()
    loss.backward()
    table_opt.step()
    net_opt.step()
    if step % 150 == 0 or step == 1199:
        print(step, loss.item())
