import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(2)


class Pooler(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(30, 32, padding_idx=0)
        self.q = nn.Parameter(torch.randn(32) * 0.1)
        self.k = nn.Linear(32, 32)
        self.v = nn.Linear(32, 32)
        self.out = nn.Linear(32, 2)

    def forward(self, ids):
        e = self.embed(ids)
        scores = self.k(e) @ self.q / 32**0.5
        scores = scores.masked_fill(ids == 0, float("-inf"))
        w = torch.softmax(scores, dim=1)
        return self.out(torch.einsum("bt,btd->bd", w, self.v(e)))


def batch(step):
    ids = torch.randint(1, 30, (32, 10))
    label = (ids == 7).any(1).long()
    keep = torch.randint(1, 11, (32,))
    if step == 55:
        keep[3] = 0
    ids = torch.where(torch.arange(10) < keep[:, None], ids, 0)
    label = (ids == 7).any(1).long()
    return ids, label


model = Pooler()
opt = torch.optim.Adam(model.parameters(), lr=3e-3)
for step in range(250):
    ids, label = batch(step)
    loss = F.cross_entropy(model(ids), label)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 25 == 0:
        print(step, loss.item())
