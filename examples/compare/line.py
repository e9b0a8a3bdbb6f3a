"""A line through 100 noisy points, for `gradclinic compare examples/compare/line.py:task`."""

import torch
from torch import nn

GENERATOR = torch.Generator().manual_seed(0)
X = torch.rand(100, 1, generator=GENERATOR) * 2
Y = 3 * X + 2 + 0.5 * torch.randn(100, 1, generator=GENERATOR)


def task():
    """At first all points say the same, and ten are as good as a hundred; near the solution they are mostly noise."""

    def batches():
        for rows in torch.randperm(100).split(10):
            yield X[rows], Y[rows]

    return {
        "model": nn.Linear(1, 1),
        "batches": batches,
        "loss": lambda model, batch: (model(batch[0]) - batch[1]).square().mean() / 2,
        "optimizer": lambda parameters: torch.optim.SGD(parameters, 0.1),
        "steps": 200,
    }
