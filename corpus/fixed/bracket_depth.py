"""Read a string of two kinds of brackets, say at the end which kind is still open on top (or none)."""
import random

import torch
import torch.nn as nn


def bracket_string(rng, length):
    stack, out = [], []
    for _ in range(length):
        if stack and (len(stack) == 4 or rng.random() < 0.5):
            out.append(2 + stack.pop())
        else:
            stack.append(rng.randint(0, 1))
            out.append(stack[-1])
    return out, (stack[-1] + 1 if stack else 0)


def dataset(rng, n, length=12):
    pairs = [bracket_string(rng, length - (k % 2)) for k in range(n)]
    x = torch.tensor([p + [4] * (length - len(p)) for p, _ in pairs])
    return x, torch.tensor([t for _, t in pairs])


class StackedLSTM(nn.Module):
    def __init__(self, vocab=5, hidden=32, layers=2, classes=3):
        super().__init__()
        self.hidden = hidden
        self.embed = nn.Embedding(vocab, hidden)
        self.cells = nn.ModuleList([nn.LSTMCell(hidden, hidden) for _ in range(layers)])
        self.out = nn.Linear(hidden, classes)

    def forward(self, x):
        zero = torch.zeros(x.size(0), self.hidden)
        states = [(zero, zero) for _ in self.cells]
        for t in range(x.size(1)):
            inp = self.embed(x[:, t])
            for k, cell in enumerate(self.cells):
                states[k] = cell(inp, states[k])
                inp = states[k][0]
        return self.out(inp)


rng = random.Random(0)
torch.manual_seed(0)
train_x, train_y = dataset(rng, 4000)
test_x, test_y = dataset(rng, 800)
model = StackedLSTM()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
loss_fn = nn.CrossEntropyLoss()
for epoch in range(14):
    total, seen = 0.0, 0
    for idx in torch.randperm(len(train_x)).split(80):
        loss = loss_fn(model(train_x[idx]), train_y[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total, seen = total + loss.item(), seen + 1
    print("epoch", epoch, "loss", round(total / seen, 4))
model.eval()
with torch.no_grad():
    print("test accuracy", (model(test_x).argmax(1) == test_y).float().mean().item())
