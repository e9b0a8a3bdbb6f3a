"""One change at a time to fifteen sigmoid layers: what arrives of the gradient, and whether it learns."""

from math import log10

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F

images, labels = load_digits(return_X_y=True)
images, labels = torch.tensor(images / 16, dtype=torch.float32), torch.tensor(labels)
images = (images - images.mean()) / images.std()


class Network(nn.Module):
    """Fifteen layers of 100; ``gain`` is the standard deviation of the weights times √fan_in."""

    def __init__(self, activation=torch.sigmoid, gain=None, shortcut=False, norm=False):
        super().__init__()
        torch.manual_seed(0)
        self.activation, self.shortcut = activation, shortcut
        self.layers = nn.ModuleList([nn.Linear(64, 100), *(nn.Linear(100, 100) for _ in range(14))])
        self.norms = nn.ModuleList(nn.LayerNorm(100) if norm else nn.Identity() for _ in range(15))
        self.head = nn.Linear(100, 10)
        if gain:
            for layer in self.layers:
                nn.init.normal_(layer.weight, 0, gain / layer.in_features**0.5)
                nn.init.zeros_(layer.bias)

    def forward(self, h):
        self.signals = []
        for layer, norm in zip(self.layers, self.norms, strict=True):
            z = self.activation(norm(layer(h)))
            h = h + z / 15**0.5 if self.shortcut and h.shape == z.shape else z
            self.signals.append(h)
        return self.head(h)


def try_out(name, model, make=lambda parameters: torch.optim.SGD(parameters, 0.05)):
    loss = F.cross_entropy(model(images[:256]), labels[:256])
    first, last = torch.autograd.grad(loss, [model.signals[0], model.signals[-1]])
    decades = log10(first.norm() / last.norm())
    optimizer = make(model.parameters())
    for _ in range(160):
        rows = torch.randint(0, 1500, (64,))
        loss = F.cross_entropy(model(images[rows]), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        accuracy = (model(images[1500:]).argmax(1) == labels[1500:]).float().mean()
    print(f"{name:32} {decades:+10.1f} {accuracy:12.0%}")


print(f"{'':32} {'decades':>10} {'accuracy':>12}")
try_out("as it is", Network())
try_out("Adam in place of SGD", Network(), lambda parameters: torch.optim.Adam(parameters, 1e-3))
try_out("ten times the learning rate", Network(), lambda parameters: torch.optim.SGD(parameters, 0.5))
try_out("weights of gain 4", Network(gain=4))
try_out("tanh, gain 1 (Xavier)", Network(torch.tanh, gain=1))
try_out("ReLU, PyTorch's default", Network(torch.relu))
try_out("ReLU, gain √2 (Kaiming)", Network(torch.relu, gain=2**0.5))
try_out("layer normalisation", Network(norm=True))
try_out("shortcuts", Network(shortcut=True))
try_out("shortcuts, ReLU", Network(torch.relu, shortcut=True))
