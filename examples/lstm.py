"""An LSTM that reads a digit image row by row."""

import torch
from sklearn.datasets import load_digits
from torch import nn


class RowReader(nn.Module):
    def __init__(self, hidden=64):
        super().__init__()
        self.lstm = nn.LSTM(8, hidden, batch_first=True)
        self.head = nn.Linear(hidden, 10)

    def forward(self, rows):
        _, (last, _) = self.lstm(rows)
        return self.head(last[-1])


torch.manual_seed(0)
digits = load_digits()
images = torch.tensor(digits.images / 16, dtype=torch.float32)
labels = torch.tensor(digits.target)

model = RowReader()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
criterion = nn.CrossEntropyLoss()

for step in range(1, 301):
    batch = torch.randint(0, 1500, (64,))
    loss = criterion(model(images[batch]), labels[batch])
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    if step % 50 == 0:
        print(f"step {step}: loss {loss.item()}")

with torch.no_grad():
    correct = (model(images[1500:]).argmax(1) == labels[1500:]).float().mean().item()
print(f"test accuracy {correct:.3f}")
