"""Regression in the units in which the data came."""

from __future__ import annotations

import torch
from torch import Tensor

from gradclinic.task import Task

from .. import data
from ..data import Data
from ..layers import initialise
from ..loop import ADAM, Loop, training
from ..row import Row
from .dense import dense

LECUN = "LeCun et al. 1998, Efficient BackProp; Bishop 1995, 8.2"
GOOD = {"standard": True, "act": "relu", "last": "", "init": "default"}
BETTER = (GOOD | {"loop": Loop("adam", 3e-3)}, GOOD | {"loop": Loop("adam", 3e-3, batch=8)})


def build(
    steps: int,
    source: str,
    depth: int = 2,
    width: int = 32,
    act: str = "relu",
    last: str = "",
    init: str = "default",
    inputs: float = 1.0,
    targets: float = 1.0,
    offset: float = 0.0,
    standard: bool = False,
    loop: Loop = ADAM,
) -> Task:
    """Inputs and targets in units, or ``standard``: brought to mean 0 and deviation 1, as R² does not mind."""
    own = data.find(source).scaled(inputs, targets, offset)
    own = standardised(own) if standard else own
    model = dense(own.inputs.shape[1], own.outputs, depth, width, act, last)
    initialise(model, init)
    return training(model, own, loop, steps)


def standardised(own: Data) -> Data:
    """By the columns of what is trained on."""
    wanted = own.targets if own.classes else _scaled(own.targets, own.targets)
    held = own.held_targets if own.classes else _scaled(own.held_targets, own.targets)
    return Data(_scaled(own.inputs, own.inputs), wanted, _scaled(own.held_inputs, own.inputs), held, own.outputs)


def _scaled(table: Tensor, by: Tensor) -> Tensor:
    return (table - by.mean(0)) / torch.where(by.std(0) > 0, by.std(0), 1.0)


def row(name: str, steps: int, source: str, **options: object) -> Row:
    """A row of this family."""
    return Row(f"regression-{name}", "regression", LECUN, steps, build, {"source": source} | options, BETTER)


ROWS = (
    row("diabetes", 1500, "diabetes", depth=1, width=8, loop=Loop("sgd", 0.01, batch=8)),
    row("diabetes-adam", 1500, "diabetes", depth=1, width=8, loop=Loop("adam", 1e-4, batch=8)),
    row("friedman1-inputs", 2500, "friedman 1", inputs=1000.0, loop=Loop("sgd", 0.01)),
    row("friedman1-targets", 2500, "friedman 1", targets=1e4, loop=Loop("adam", 1e-3)),
    row("friedman1-offset", 2500, "friedman 1", offset=1e4, loop=Loop("sgd", 0.01)),
    row("friedman1-small", 2500, "friedman 1", targets=1e-6, inputs=1e-3, loop=Loop("sgd", 0.01)),
    row("friedman2", 2500, "friedman 2", loop=Loop("sgd", 0.01)),
    row("friedman2-adam", 2500, "friedman 2", loop=Loop("adam", 1e-4)),
    row("friedman3", 2500, "friedman 3", loop=Loop("sgd", 0.1)),
    row("friedman1-last-sigmoid", 2500, "friedman 1", last="sigmoid", loop=Loop("adam", 1e-3)),
    row("quartic", 2500, "quartic", loop=Loop("sgd", 0.05)),
    row("quartic-last-relu", 2500, "quartic", last="relu", offset=-60.0, loop=Loop("adam", 1e-3)),
    row("wine", 1500, "wine", depth=1, width=16, loop=Loop("sgd", 0.1)),
    row("cancer", 1500, "cancer", loop=Loop("sgd", 0.05)),
)
