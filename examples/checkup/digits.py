"""Three trainings of a classifier of handwritten digits, for `gradclinic checkup examples/checkup/digits.py:NAME`."""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F

images, labels = load_digits(return_X_y=True)
images, labels = torch.tensor(images, dtype=torch.float32) / 16, torch.tensor(labels)


def batches():
    for rows in torch.randperm(len(images)).split(64):
        yield images[rows], labels[rows]


def loss(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1])


def classifier(depth, activation):
    layers = [nn.Linear(64, 128), activation()]
    for _ in range(depth):
        layers += [nn.Linear(128, 128), activation()]
    return nn.Sequential(*layers, nn.Linear(128, 10))


def training(model, lr):
    return {
        "model": model,
        "batches": batches,
        "loss": loss,
        "optimizer": lambda parameters: torch.optim.Adam(parameters, lr),
        "steps": 500,
    }


def healthy():
    return training(classifier(2, nn.ReLU), 1e-3)


def deep():
    return training(classifier(20, nn.Sigmoid), 1e-3)


def slow():
    return training(classifier(2, nn.ReLU), 1e-7)
