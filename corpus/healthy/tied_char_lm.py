import calendar
import inspect

import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(6)
text = inspect.getsource(calendar)
chars = sorted(set(text))
stoi = {c: i for i, c in enumerate(chars)}
data = torch.tensor([stoi[c] for c in text])
CONTEXT = 8


class TiedLM(nn.Module):
    def __init__(self, vocab, dim=32, hidden=128):
        super().__init__()
        self.emb = nn.Embedding(vocab, dim)
        nn.init.normal_(self.emb.weight, std=0.2)
        self.mix = nn.Linear(CONTEXT * dim, hidden)
        self.proj = nn.Linear(hidden, dim)
        self.head = nn.Linear(dim, vocab)
        self.head.weight = self.emb.weight

    def forward(self, idx):
        h = self.emb(idx).flatten(1)
        return self.head(self.proj(torch.tanh(self.mix(h))))


model = TiedLM(len(chars))
opt = torch.optim.NAdam(model.parameters(), lr=3e-3)
starts = torch.arange(len(data) - CONTEXT - 1)
offsets = torch.arange(CONTEXT)
avg = []
for step in range(1000):
    s = starts[torch.randint(len(starts), (128,))]
    xb = data[s[:, None] + offsets]
    yb = data[s + CONTEXT]
    loss = F.cross_entropy(model(xb), yb)
    opt.zero_grad()
    loss.backward()
    opt.step()
    avg.append(loss.item())
    if (step + 1) % 100 == 0:
        print(f"step {step + 1:5d} | loss {sum(avg[-100:]) / 100:.3f} nats per character")
unigram = torch.bincount(data).float()
p = unigram[unigram > 0] / unigram.sum()
print("unigram entropy", -(p * p.log()).sum().item(), "last 100 steps", sum(avg[-100:]) / 100)
