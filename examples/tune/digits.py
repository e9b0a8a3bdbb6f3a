"""A classifier whose learning rate is far too low, for `gradclinic tune examples/tune/digits.py:task`."""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F

IMAGES, LABELS = (torch.as_tensor(each) for each in load_digits(return_X_y=True))
IMAGES = IMAGES.float() / 16
ORDER = torch.randperm(len(IMAGES), generator=torch.Generator().manual_seed(0))


def part(train, held):
    """Batches of one part of the rows, and the accuracy on the other."""

    def batches():
        for rows in train[torch.randperm(len(train))].split(32):
            yield IMAGES[rows], LABELS[rows]

    def accuracy(model):
        model.eval()
        with torch.no_grad():
            return (model(IMAGES[held]).argmax(1) == LABELS[held]).float().mean().item()

    return batches, accuracy


def folds(splitter):
    """Batches and accuracy for each split; `splitter` is one of scikit-learn's."""
    for train, held in splitter.split(IMAGES):
        yield part(torch.as_tensor(train), torch.as_tensor(held))


def task():
    """SGD with momentum at 1e-5."""
    batches, accuracy = part(ORDER[:1200], ORDER[1200:])
    return {
        "model": nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)),
        "batches": batches,
        "loss": lambda model, batch: F.cross_entropy(model(batch[0]), batch[1]),
        "optimizer": lambda parameters: torch.optim.SGD(parameters, 1e-5, momentum=0.9),
        "steps": 1000,
        "metric": accuracy,
        "folds": folds,
    }
