"""A small LSTM language model in the manner of AWD-LSTM: plain SGD with a learning rate of 20 and clipping to 0.25."""
import argparse

import torch
import torch.nn as nn

torch.manual_seed(0)
text = open(argparse.__file__, encoding="ascii", errors="ignore").read()
chars = sorted(set(text))
ids = torch.tensor([chars.index(c) for c in text])
cut = int(0.95 * len(ids))
BATCH, BPTT = 20, 35


def batchify(x, rows):
    n = len(x) // rows
    return x[:n * rows].view(rows, n)


train_data, valid_data = batchify(ids[:cut], BATCH), batchify(ids[cut:], 4)


class RNNModel(nn.Module):
    def __init__(self, ntoken, width=96):
        super().__init__()
        self.encoder = nn.Embedding(ntoken, width)
        self.rnn = nn.LSTM(width, width, batch_first=True)
        self.drop = nn.Dropout(0.1)
        self.decoder = nn.Linear(width, ntoken)
        self.decoder.weight = self.encoder.weight
        nn.init.uniform_(self.encoder.weight, -0.1, 0.1)
        nn.init.zeros_(self.decoder.bias)

    def forward(self, x, hidden=None):
        out, hidden = self.rnn(self.drop(self.encoder(x)), hidden)
        return self.decoder(self.drop(out)), tuple(h.detach() for h in hidden)


def run(model, data, opt=None):
    hidden, total, n = None, 0.0, 0
    for i in range(0, data.size(1) - 1, BPTT):
        x, y = data[:, i:i + BPTT][:, :data.size(1) - 1 - i], data[:, i + 1:i + 1 + BPTT]
        logits, hidden = model(x, hidden)
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), y.flatten())
        if opt is not None:
            opt.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 0.25)
            opt.step()
        total, n = total + loss.item() * y.numel(), n + y.numel()
    return total / n


model = RNNModel(len(chars))
opt = torch.optim.SGD(model.parameters(), lr=20.0)
best = float("inf")
for epoch in range(6):
    model.train()
    loss = run(model, train_data, opt)
    model.eval()
    with torch.no_grad():
        valid = run(model, valid_data)
    if valid > best:
        opt.param_groups[0]["lr"] /= 4
    best = min(best, valid)
    print(f"epoch {epoch:2d} lr {opt.param_groups[0]['lr']:7.3f} train {loss:.3f} valid {valid:.3f}")
freq = torch.bincount(ids[:cut], minlength=len(chars)).float() + 1
print(f"best held-out loss {best:.3f}; letter frequencies alone {-(freq / freq.sum()).log()[ids[cut:]].mean():.3f}")
