"""Handwritten digits with a deep sigmoid network."""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)

digits = load_digits()
images = torch.tensor(digits.data / 16.0, dtype=torch.float32)
labels = torch.tensor(digits.target)
order = torch.randperm(len(images))
train, test = order[:1500], order[1500:]
loader = DataLoader(TensorDataset(images[train], labels[train]), batch_size=64, shuffle=True)

layers = []
width = 64
for _ in range(20):
    layers += [nn.Linear(width, 128), nn.Sigmoid()]
    width = 128
model = nn.Sequential(*layers, nn.Linear(width, 10))

optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
loss_function = nn.CrossEntropyLoss()

for epoch in range(1, 9):
    running = 0.0
    for x, y in loader:
        optimizer.zero_grad()
        loss = loss_function(model(x), y)
        loss.backward()
        optimizer.step()
        running += loss.item()
    with torch.no_grad():
        accuracy = (model(images[test]).argmax(1) == labels[test]).float().mean().item()
    print(f"epoch {epoch}: loss {running / len(loader):.4f}, test accuracy {accuracy:.1%}")
