"""Autoencoders of digits, an hourglass of dense layers."""

from __future__ import annotations

from itertools import pairwise

from torch import nn

from gradclinic.task import Task

from .. import data
from ..layers import ACTIVATIONS, initialise
from ..loop import ADAM, Loop, training
from ..row import Row

HINTON = "Hinton and Salakhutdinov 2006; Martens 2010; Sutskever et al. 2013"
GOOD = {"act": "relu", "init": "default", "last": "", "loop": ADAM, "scale": 1.0, "offset": 0.0}
BETTER = (GOOD, GOOD | {"act": "gelu", "loop": Loop("adam", 3e-3)}, GOOD | {"norm": True, "loop": Loop("adam", 3e-3)})


def build(
    steps: int,
    depth: int,
    width: int = 64,
    code: int = 16,
    act: str = "sigmoid",
    last: str = "",
    init: str = "default",
    norm: bool = False,
    scale: float = 1.0,
    offset: float = 0.0,
    loop: Loop = ADAM,
) -> Task:
    """``depth`` layers down to ``code`` units and as many up; images in units of ``scale`` from ``offset`` on."""
    own = data.same_digits().scaled(inputs=scale, targets=scale, offset=offset)
    down = [64, *[width] * (depth - 1), code]
    layers: list[nn.Module] = []
    for left, right in pairwise([*down, *down[-2::-1]]):
        layers += [nn.Linear(left, right), *([nn.BatchNorm1d(right)] if norm else []), ACTIVATIONS[act]()]
    model = nn.Sequential(*layers[: -2 if norm else -1], *([ACTIVATIONS[last]()] if last else []))
    initialise(model, init)
    return training(model, own, loop, steps)


def row(name: str, steps: int, depth: int, **options: object) -> Row:
    """A row of this family."""
    return Row(f"autoencoder-{name}", "autoencoder", HINTON, steps, build, {"depth": depth} | options, BETTER)


ROWS = (
    row("3-sigmoid", 2000, 3, loop=Loop("sgd", 0.1)),
    row("4-sigmoid-adam", 2000, 4, loop=ADAM),
    row("6-sigmoid", 1500, 6, loop=ADAM),
    row("4-tanh-unit", 2000, 4, act="tanh", init="unit", loop=Loop("sgd", 0.05)),
    row("3-relu-tiny", 2000, 3, act="relu", init="tiny", loop=Loop("sgd", 0.05)),
    row("rate-low", 2000, 2, act="relu", loop=Loop("adam", 1e-6)),
    row("summed", 2000, 2, act="relu", loop=Loop("sgd", 0.01, reduction="sum")),
    row("255", 2000, 2, act="relu", scale=255.0, loop=Loop("sgd", 1e-2)),
    row("last-sigmoid", 2000, 2, act="relu", last="sigmoid", offset=-0.5, loop=ADAM),
)
