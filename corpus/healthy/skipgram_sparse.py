"""word2vec with negative sampling and sparse gradients."""
import re

import torch
import torch.nn.functional as F
from pydoc_data.topics import topics
from torch import nn

torch.manual_seed(0)
words = re.findall(r"[a-z]+", " ".join(topics[k] for k in sorted(topics)[:25]).lower())
vocab = sorted(set(words))
ids = torch.tensor([vocab.index(w) for w in words])


class SkipGram(nn.Module):
    def __init__(self, n, dim=32):
        super().__init__()
        self.center = nn.Embedding(n, dim, sparse=True)
        self.context = nn.Embedding(n, dim, sparse=True)
        nn.init.uniform_(self.center.weight, -0.5 / dim, 0.5 / dim)
        nn.init.zeros_(self.context.weight)

    def forward(self, c, pos, neg):
        v = self.center(c)
        p = (v * self.context(pos)).sum(1)
        n = torch.bmm(self.context(neg), v.unsqueeze(2)).squeeze(2)
        return -(F.logsigmoid(p) + F.logsigmoid(-n).sum(1)).mean()


model = SkipGram(len(vocab))
opt = torch.optim.SparseAdam(list(model.parameters()), lr=1e-2)
smooth = None
for step in range(1, 1001):
    at = torch.randint(2, len(ids) - 2, (256,))
    offset = torch.tensor([-2, -1, 1, 2])[torch.randint(0, 4, (256,))]
    loss = model(ids[at], ids[at + offset], torch.randint(0, len(vocab), (256, 5)))
    opt.zero_grad()
    loss.backward()
    opt.step()
    smooth = loss.item() if smooth is None else 0.98 * smooth + 0.02 * loss.item()
    if step % 200 == 0 or step == 1:
        print(step, round(smooth, 4))
