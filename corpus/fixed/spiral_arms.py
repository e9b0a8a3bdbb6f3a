import math

import torch
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset, random_split


def spirals(per_arm=600, arms=3, turns=1.0):
    xs, ys = [], []
    for k in range(arms):
        r = torch.linspace(0.1, 1, per_arm)
        a = 2 * math.pi * (turns * r + k / arms) + 0.15 * torch.randn(per_arm)
        xs.append(torch.stack([r * a.cos(), r * a.sin()], 1))
        ys.append(torch.full((per_arm,), k))
    return TensorDataset(torch.cat(xs), torch.cat(ys))


class Net(nn.Module):
    def __init__(self, width=64):
        super().__init__()
        self.fc1 = nn.Linear(2, width)
        self.fc2 = nn.Linear(width, width)
        self.fc3 = nn.Linear(width, width)
        self.out = nn.Linear(width, 3)

    def forward(self, x):
        x = torch.tanh(self.fc1(x))
        x = torch.tanh(self.fc2(x))
        x = torch.tanh(self.fc3(x))
        return self.out(x)


def train_one_epoch(model, loader, criterion, optimizer):
    total = 0.0
    for x, y in loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(x)
    return total / len(loader.dataset)


@torch.no_grad()
def evaluate(model, loader):
    hits = sum((model(x).argmax(1) == y).sum().item() for x, y in loader)
    return hits / len(loader.dataset)


torch.manual_seed(0)
train_set, val_set, test_set = random_split(spirals(), [1200, 300, 300])
train_loader = DataLoader(train_set, batch_size=32, shuffle=True)
val_loader, test_loader = DataLoader(val_set, 300), DataLoader(test_set, 300)
model = Net()
criterion = nn.CrossEntropyLoss()
optimizer = optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
scheduler = optim.lr_scheduler.ReduceLROnPlateau(optimizer, mode="max", factor=0.1, patience=3)
for epoch in range(60):
    train_loss = train_one_epoch(model, train_loader, criterion, optimizer)
    val_acc = evaluate(model, val_loader)
    scheduler.step(val_acc)
    if epoch % 6 == 0:
        print(f"epoch {epoch:2d} | train loss {train_loss:.4f} | val acc {val_acc:.3f}")
print(f"test acc {evaluate(model, test_loader):.3f}")
