"""Source lines of very different length: summed loss per micro-batch, divided by all their tokens."""
import argparse
import inspect
import torch
import torch.nn as nn
from torch.nn.utils.rnn import pad_sequence

lines = [l.strip() for l in inspect.getsource(argparse).splitlines() if len(l.strip()) > 4]
chars = sorted(set("".join(lines)))
code = {c: i + 1 for i, c in enumerate(chars)}
encoded = [torch.tensor([0] + [code[c] for c in l]) for l in lines]
torch.manual_seed(0)
order = torch.randperm(len(encoded)).tolist()
train, test = [encoded[i] for i in order[:-250]], [encoded[i] for i in order[-250:]]
V = len(chars) + 1


class LineModel(nn.Module):
    def __init__(self, hidden=96):
        super().__init__()
        self.embed = nn.Embedding(V, 32)
        self.gru = nn.GRU(32, hidden, batch_first=True)
        self.out = nn.Linear(hidden, V)

    def forward(self, x):
        return self.out(self.gru(self.embed(x))[0])


def summed_loss(model, batch):
    x = pad_sequence([b[:-1] for b in batch], batch_first=True)
    y = pad_sequence([b[1:] for b in batch], batch_first=True, padding_value=-100)
    loss = nn.functional.cross_entropy(model(x).flatten(0, 1), y.flatten(), ignore_index=-100, reduction="sum")
    return loss, int((y != -100).sum())


model = LineModel()
optimizer = torch.optim.Adam(model.parameters(), lr=6e-3)
ACCUMULATE = 4
for step in range(130):
    macro = [[train[int(i)] for i in torch.randint(0, len(train), (6,))] for _ in range(ACCUMULATE)]
    tokens = sum(len(b) - 1 for micro in macro for b in micro)
    optimizer.zero_grad()
    running = 0.0
    for micro in macro:
        loss, _ = summed_loss(model, micro)
        (loss / tokens).backward()
        running += loss.item()
    optimizer.step()
    if step % 15 == 0:
        print(f"step {step} tokens {tokens} summed loss {running:.1f} per token {running / tokens:.4f}")

model.eval()
with torch.no_grad():
    total, count = summed_loss(model, test)
print(f"held-out nats per character {total.item() / count:.3f} (uniform {torch.tensor(float(V)).log().item():.3f})")
