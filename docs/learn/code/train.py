"""Digits by a deep plain network.  It knows nothing of gradclinic."""

import argparse

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F

parser = argparse.ArgumentParser()
parser.add_argument("--activation", default="Sigmoid", help="Sigmoid, Tanh, ReLU, ...")
parser.add_argument("--gain", type=float, help="standard deviation of the weights times √fan_in; PyTorch's default")
parser.add_argument("--depth", type=int, default=15)
parser.add_argument("--lr", type=float, default=0.05)
options = parser.parse_args()

torch.manual_seed(0)
images, labels = load_digits(return_X_y=True)
images, labels = torch.tensor(images / 16, dtype=torch.float32), torch.tensor(labels)
images = (images - images.mean()) / images.std()

layers, width = [], 64
for _ in range(options.depth):
    layers += [nn.Linear(width, 100), getattr(nn, options.activation)()]
    width = 100
model = nn.Sequential(*layers, nn.Linear(width, 10))
if options.gain:
    for layer in model[::2]:
        nn.init.normal_(layer.weight, 0, options.gain / layer.in_features**0.5)
        nn.init.zeros_(layer.bias)

optimizer = torch.optim.SGD(model.parameters(), options.lr)
for _ in range(160):
    rows = torch.randint(0, 1500, (64,))
    loss = F.cross_entropy(model(images[rows]), labels[rows])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

with torch.no_grad():
    accuracy = (model(images[1500:]).argmax(1) == labels[1500:]).float().mean().item()
print(f"loss {loss.item():.2f}, test accuracy {accuracy:.0%}")
