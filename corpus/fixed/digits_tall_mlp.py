import time

import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(23)
digits = load_digits()
full = TensorDataset(torch.tensor(digits.data / 16.0, dtype=torch.float32), torch.tensor(digits.target))
train_set, test_set = random_split(full, [1500, 297])
train_dl = DataLoader(train_set, batch_size=64, shuffle=True)
test_dl = DataLoader(test_set, batch_size=297)


def init_weights(m):
    if type(m) is nn.Linear:
        nn.init.kaiming_uniform_(m.weight, nonlinearity="relu")
        nn.init.zeros_(m.bias)


hidden = []
for i in range(34):
    hidden.append(nn.Linear(64 if i == 0 else 128, 128))
    hidden.append(nn.ReLU())
model = nn.Sequential(*hidden, nn.Linear(128, 10))
model.apply(init_weights)

optimizer = torch.optim.Adam(model.parameters(), lr=8e-4)
ce = nn.CrossEntropyLoss()
for epoch in range(13):
    t0 = time.time()
    train_loss = 0.0
    for xb, yb in train_dl:
        optimizer.zero_grad()
        loss = ce(model(xb), yb)
        loss.backward()
        optimizer.step()
        train_loss += loss.item() * len(xb)
    with torch.no_grad():
        for xb, yb in test_dl:
            acc = (model(xb).argmax(-1) == yb).float().mean().item()
    print(f"Epoch {epoch + 1}/13 - {time.time() - t0:.1f}s - loss: {train_loss / 1500:.4f} - val_accuracy: {acc:.4f}")
