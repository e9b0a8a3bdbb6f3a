"""Trainings whose end is known: each family gives ``(model, optimizer, loss, batches)`` for a seed."""

from __future__ import annotations

from functools import partial

import torch
from torch import nn
from torch.nn import functional as F

import gradclinic

FEATURES = 6


def mse(model, batch):
    return F.mse_loss(model(batch[0]), batch[1])


def cross_entropy(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1])


def line(seed, noise, size=32):
    """y = wᵀx + noise: the least mean squared error is noise², at w."""
    g = torch.Generator().manual_seed(seed)
    weights = torch.randn(FEATURES, 1, generator=g)
    while True:
        x = torch.randn(size, FEATURES, generator=g)
        yield x, x @ weights + noise * torch.randn(size, 1, generator=g)


def blobs(seed, size=64):
    """Four classes around four corners."""
    g = torch.Generator().manual_seed(seed)
    corners = 2 * torch.randn(4, FEATURES, generator=g)
    while True:
        y = torch.randint(4, (size,), generator=g)
        yield corners[y] + torch.randn(size, FEATURES, generator=g), y


def minimum(seed, noise, rate=0.02, make=torch.optim.SGD):
    model = nn.Linear(FEATURES, 1)
    return model, make(model.parameters(), rate), mse, line(seed, noise)


def orbit(seed, noise):
    """The excess of SGD on a quadratic is about rate·tr Σ/4 ≈ rate·noise²·features/2·2/32, far more than 1% at 0.4."""
    return minimum(seed, noise, 0.4)


def alternating(seed, noise):
    """The same batch for ever, and a rate above the limit of stability where the loss is a bowl with straight walls."""
    model = nn.Linear(1, 1, bias=False)
    x = torch.linspace(-1, 1, 16)[:, None]

    def loss(model, batch):
        return ((model(x) - batch * x).square() + 0.01).sqrt().mean()

    return model, torch.optim.SGD(model.parameters(), 1.0), loss, iter(lambda: 0.3 + 0.1 * seed, None)


class Product(nn.Module):
    """x·A·b; A = b = 0 is a saddle, from which no gradient leads."""

    def __init__(self):
        super().__init__()
        self.a = nn.Parameter(torch.zeros(FEATURES, 3))
        self.b = nn.Parameter(torch.zeros(3, 1))

    def forward(self, x):
        return x @ self.a @ self.b


def saddle(seed, noise):
    model = Product()
    return model, torch.optim.SGD(model.parameters(), 0.02), mse, line(seed, noise)


def deep(seed, activation, scale=None, rate=0.05, depth=12):
    """Layers in which the signal dies, under a head whose bias can learn how often each class occurs."""
    layers = []
    for place in range(depth):
        layers += [nn.Linear(FEATURES if not place else 16, 16), activation()]
    model = nn.Sequential(*layers, nn.Linear(16, 4))
    if scale is not None:
        for layer in model:
            if isinstance(layer, nn.Linear):
                nn.init.normal_(layer.weight, 0, scale)
    return model, torch.optim.SGD(model.parameters(), rate), cross_entropy, blobs(seed)


def slow(seed, noise):
    """A rate at which nothing moves."""
    return minimum(seed, noise, 1e-8)


def classifier(seed, noise):
    """A classifier of classes that overlap: the loss goes to a floor that is not zero."""
    model = nn.Sequential(nn.Linear(FEATURES, 16), nn.Tanh(), nn.Linear(16, 4))
    return model, torch.optim.SGD(model.parameters(), 0.05, weight_decay=1e-2), cross_entropy, blobs(seed)


#: Name, family, what it is, steps at most.
KNOWN = (
    ("least squares, noise 0.1", partial(minimum, noise=0.1), "converged", 2100),
    ("least squares, noise 1", partial(minimum, noise=1.0), "converged", 2100),
    ("least squares, noise 3", partial(minimum, noise=3.0), "converged", 2100),
    ("least squares, no noise", partial(minimum, noise=0.0), "converged", 2100),
    ("least squares, Adam", partial(minimum, noise=0.5, rate=0.005, make=torch.optim.Adam), "converged", 3100),
    ("orbit, noise 1", partial(orbit, noise=1.0), "oscillating", 450),
    ("orbit, noise 0.3", partial(orbit, noise=0.3), "oscillating", 450),
    ("period two, no noise", partial(alternating, noise=0.0), "oscillating", 450),
    ("saddle of a product", partial(saddle, noise=0.3), "saddle", 210),
    ("12 sigmoid layers", partial(deep, activation=nn.Sigmoid), "vanished", 450),
    ("12 ReLU layers, weights 0.01", partial(deep, activation=nn.ReLU, scale=0.01), "vanished", 450),
    ("12 tanh layers, weights 0.02", partial(deep, activation=nn.Tanh, scale=0.02), "vanished", 450),
    ("learning rate 1e-8", partial(slow, noise=1.0), "plateau", 450),
)


def verdicts(make, seed, steps, **options):
    """Every verdict in turn; ends where the training is called converged."""
    torch.manual_seed(seed)
    model, optimizer, loss, batches = make(seed)
    stop = gradclinic.Convergence(model, optimizer, loss, **options)
    seen = [stop.verdict]
    for _ in range(steps):
        batch = next(batches)
        optimizer.zero_grad()
        value = loss(model, batch)
        value.backward()
        over = stop.update(value, batch)
        if stop.verdict is not seen[-1]:
            seen.append(stop.verdict)
        if over:
            break
        optimizer.step()
    return seen
