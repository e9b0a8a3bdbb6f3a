"""Fully connected networks: AutoTrainer's circle, blob and digit models (Zhang et al. 2021, arXiv:2105.04000)."""

from __future__ import annotations

from torch import nn

from gradclinic.task import Task

from .. import data
from ..layers import ACTIVATIONS, initialise
from ..loop import ADAM, Loop, training
from ..row import Row

AUTOTRAINER = "AutoTrainer, Zhang et al. 2021"
GOOD = {"act": "relu", "init": "kaiming", "bias": 0.0, "last": "", "loop": ADAM, "scale": 1.0}
#: What is written by whoever knows: for shallow and for deep ones.
BETTER = (GOOD, GOOD | {"norm": True}, GOOD | {"norm": True, "loop": Loop("adam", 1e-2)})


def dense(
    inputs: int, outputs: int, depth: int, width: int, act: str = "relu", last: str = "", norm: bool = False
) -> nn.Sequential:
    """``depth`` hidden layers; ``last``: an activation on the output."""
    layers: list[nn.Module] = []
    for place in range(depth):
        layers.append(nn.Linear(inputs if place == 0 else width, width))
        layers += [nn.BatchNorm1d(width)] if norm else []
        layers.append(ACTIVATIONS[act]())
    layers.append(nn.Linear(width, outputs))
    layers += [ACTIVATIONS[last]()] if last else []
    return nn.Sequential(*layers)


def build(
    steps: int,
    source: str,
    depth: int,
    width: int,
    act: str = "relu",
    init: str = "default",
    bias: float | None = None,
    last: str = "",
    norm: bool = False,
    scale: float = 1.0,
    loop: Loop = ADAM,
) -> Task:
    """A classifier on inputs in units of ``scale``."""
    own = data.find(source).scaled(inputs=scale)
    model = dense(own.inputs.shape[1], own.outputs, depth, width, act, last, norm)
    initialise(model, init, bias)
    return training(model, own, loop, steps)


def row(name: str, source: str, steps: int, depth: int, width: int, **options: object) -> Row:
    """One of AutoTrainer's."""
    shape = {"source": source, "depth": depth, "width": width}
    return Row(f"{source}-{name}", source, AUTOTRAINER, steps, build, shape | options, BETTER)
