"""Two classifiers that do not learn, for `gradclinic treat examples/treat/classifiers.py:NAME`."""

import torch
from sklearn.datasets import load_digits, make_circles
from torch import nn
from torch.nn import functional as F


def split(inputs, labels):
    order = torch.randperm(len(inputs), generator=torch.Generator().manual_seed(0))
    inputs, labels = torch.tensor(inputs, dtype=torch.float32)[order], torch.tensor(labels)[order]
    cut = int(0.7 * len(inputs))
    return inputs[:cut], labels[:cut], inputs[cut:], labels[cut:]


def training(data, model, optimizer, steps):
    inputs, labels, new_inputs, new_labels = split(*data)

    def batches():
        for rows in torch.randperm(len(inputs)).split(32):
            yield inputs[rows], labels[rows]

    def accuracy(network):
        network.eval()
        with torch.no_grad():
            return (network(new_inputs).argmax(1) == new_labels).float().mean().item()

    return {
        "model": model,
        "batches": batches,
        "loss": lambda network, batch: F.cross_entropy(network(batch[0]), batch[1]),
        "optimizer": optimizer,
        "steps": steps,
        "metric": accuracy,
    }


def deep():
    """Ten layers of sigmoids: the gradient does not reach the first ones."""
    layers = [nn.Linear(2, 8), nn.Sigmoid()]
    for _ in range(9):
        layers += [nn.Linear(8, 8), nn.Sigmoid()]
    data = make_circles(1000, noise=0.1, factor=0.4, random_state=0)
    model = nn.Sequential(*layers, nn.Linear(8, 2))
    return training(data, model, lambda parameters: torch.optim.Adam(parameters, 1e-3), 2000)


def unscaled():
    """Pixels from 0 to 255, and a learning rate that was meant for 0 to 1."""
    images, labels = load_digits(return_X_y=True)
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    data = (images / 16 * 255, labels)
    return training(data, model, lambda parameters: torch.optim.SGD(parameters, 0.1), 2000)
