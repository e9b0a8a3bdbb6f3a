"""Does a snippet of source code run forwards or backwards?"""
import argparse
import inspect

import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
text = [min(ord(c), 127) for c in inspect.getsource(argparse)]
codes = torch.tensor(text)
LENGTH = 40
starts = torch.randint(0, len(codes) - LENGTH, (3000,))
flip = torch.randint(0, 2, (3000,))
snippets = torch.stack([codes[s:s + LENGTH] for s in starts])
snippets = torch.where(flip.bool().unsqueeze(1), snippets.flip(1), snippets)
train_set = TensorDataset(snippets[:2400], flip[:2400])
test_x, test_y = snippets[2400:], flip[2400:]


class Direction(nn.Module):
    def __init__(self, hidden=64):
        super().__init__()
        self.embed = nn.Embedding(128, 24)
        self.gru = nn.GRU(24, hidden, batch_first=True)
        self.out = nn.Linear(hidden, 2)

    def forward(self, x):
        h, _ = self.gru(self.embed(x))
        return self.out(h.mean(dim=1))


def evaluate(model):
    model.eval()
    with torch.no_grad():
        return (model(test_x).argmax(1) == test_y).float().mean().item()


def train(model, epochs=12, lr=3e-3):
    loader = DataLoader(train_set, batch_size=64, shuffle=True)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.9)
    for epoch in range(epochs):
        model.train()
        total = 0.0
        for x, y in loader:
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
            scheduler.step()
            total += loss.item() * len(x)
        print(f"epoch {epoch + 1}: loss {total / len(train_set):.4f}")


model = Direction()
train(model)
print(f"test accuracy {evaluate(model):.3f}")
