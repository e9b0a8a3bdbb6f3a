"""The worked example: a line through noisy points, by gradient descent and by its relatives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch.nn import functional as F

from gradclinic import Convergence

from ..experiment import Claim, Experiment, Figure, Row, Settings, at_least, at_most, mean, near, pick
from ..figures import lines

#: The learning rate is the example's for all; RMSprop and Adam take steps of about the rate whatever the gradient.
OPTIMIZERS: Mapping[str, Callable[..., torch.optim.Optimizer]] = {
    "gradient descent": torch.optim.SGD,
    "momentum": partial(torch.optim.SGD, momentum=0.9),
    "Adagrad": torch.optim.Adagrad,
    "RMSprop": torch.optim.RMSprop,
    "Adam": torch.optim.Adam,
}
EVERY = 10


def conditions(settings: Settings) -> Iterable[Mapping[str, Any]]:
    for name in OPTIMIZERS:
        yield {"optimizer": name, "epochs": settings["epochs"], "rate": 0.1}


def measure(optimizer: str, epochs: int, rate: float, seed: int) -> Mapping[str, Any]:
    x = torch.randn(100, 1)
    y = 3 * x + 2 + 0.5 * torch.randn(100, 1)
    best = torch.linalg.lstsq(torch.cat([x, torch.ones_like(x)], 1), y).solution
    floor = F.mse_loss(x * best[0] + best[1], y) / 2
    model = torch.nn.Linear(1, 1)
    stepper = OPTIMIZERS[optimizer](model.parameters(), rate)

    def loss(model: torch.nn.Module, batch: Any) -> torch.Tensor:
        return F.mse_loss(model(batch[0]), batch[1]) / 2

    stop = Convergence(model, stepper, loss)
    losses, arrived, converged = [], None, None
    for epoch in range(epochs):
        stepper.zero_grad()
        value = loss(model, (x, y))
        torch.autograd.backward(value)
        if converged is None and stop.update(value, (x, y)):
            converged = epoch
        if arrived is None and float(value.detach()) <= 1.01 * float(floor):
            arrived = epoch
        if epoch % EVERY == 0:
            losses.append(float(value.detach()))
        stepper.step()
    slope, shift = model.weight.detach(), model.bias.detach()
    return {
        "w": float(slope),
        "b": float(shift),
        "off": float(torch.cat([slope.reshape(-1) - best[0], shift - best[1]]).norm()),
        "arrived": epochs if arrived is None else arrived,
        "called_converged": converged,
        "floor": float(floor),
        "losses": losses,
    }


def judge(rows: Sequence[Row]) -> list[Claim]:
    plain = pick(rows, optimizer="gradient descent")
    excess = [row["losses"][-1] / row["floor"] - 1 for row in rows if row["optimizer"] != "RMSprop"]
    return [
        # The standard error of either is 0.5/√100 = 0.05; four of them.
        near("gradient descent finds w = 3", 3, mean(plain, "w"), 0.2, relative=False),
        near("gradient descent finds b = 2", 2, mean(plain, "b"), 0.2, relative=False),
        at_most("its distance to the least squares line at the end", 1e-4, mean(plain, "off")),
        # e-folds of the error per step: 0.1 times the smaller curvature, which is near 1 for standard normal x.
        at_most("epochs until its loss is within 1% of the least", 100, mean(plain, "arrived")),
        at_most("the others, RMSprop apart: worst excess of the loss over the least", 0.01, max(excess)),
        # Each of its steps is about the rate long, whichever way: it circles the minimum at a tenth of it or so.
        at_least(
            "RMSprop's distance from it: its steps do not shrink", 0.01, mean(pick(rows, optimizer="RMSprop"), "off")
        ),
    ]


def draw(rows: Sequence[Row]) -> list[Figure]:
    first = [row for row in rows if row["seed"] == 0]
    curves = {
        row["optimizer"]: (
            [EVERY * place for place in range(len(row["losses"]))],
            [loss - row["floor"] for loss in row["losses"]],
        )
        for row in first
    }
    says = "The loss less that of the least squares line; below 1e-7 is rounding."
    return [lines("Loss above the least", says, curves, ("epoch", "loss - least loss"), log="y", marks=False)]


EXPERIMENT = Experiment(
    name="gradient-descent",
    title="Gradient descent and its relatives fit y = 3x + 2 + 0.5·noise",
    paper="The worked example: 100 points, learning rate 0.1, 1000 epochs",
    quick={"epochs": 1000},
    full={"epochs": 1000},
    conditions=conditions,
    measure=measure,
    judge=judge,
    draw=draw,
)
