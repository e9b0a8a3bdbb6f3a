"""Deep convolution on 8 x 8 digits."""

from __future__ import annotations

from torch import nn

from gradclinic.task import Task

from .. import data
from ..layers import ACTIVATIONS, initialise
from ..loop import ADAM, Loop, training
from ..row import Row

HE = "He et al. 2015, arXiv:1502.01852, and 2016, arXiv:1512.03385"
GOOD = {"act": "relu", "init": "kaiming", "bias": 0.0, "loop": ADAM, "scale": 1.0}
BETTER = (GOOD | {"norm": True}, GOOD)


def build(
    steps: int,
    depth: int,
    channels: int = 8,
    act: str = "relu",
    init: str = "default",
    bias: float | None = None,
    norm: bool = False,
    scale: float = 1.0,
    loop: Loop = ADAM,
) -> Task:
    """``depth`` layers of 3 x 3, the first with stride 2; 2 x 2 means answer."""
    own = data.digit_images().scaled(inputs=scale)
    layers: list[nn.Module] = []
    for place in range(depth):
        layers.append(nn.Conv2d(channels if place else 1, channels, 3, stride=1 if place else 2, padding=1))
        layers += [nn.BatchNorm2d(channels)] if norm else []
        layers.append(ACTIVATIONS[act]())
    model = nn.Sequential(*layers, nn.AvgPool2d(2), nn.Flatten(), nn.Linear(4 * channels, own.outputs))
    initialise(model, init, bias)
    return training(model, own, loop, steps)


def row(name: str, steps: int, depth: int, source: str = HE, **options: object) -> Row:
    """A row of this family."""
    return Row(f"convolution-{name}", "convolution", source, steps, build, {"depth": depth} | options, BETTER)


ROWS = (
    row("10-relu", 1500, 10, loop=Loop("sgd", 0.05)),
    row("12-relu-adam", 1500, 12, loop=Loop("adam", 2e-4)),
    row("6-sigmoid", 1500, 6, act="sigmoid", loop=Loop("sgd", 0.05)),
    row("7-sigmoid-adam", 1500, 7, act="sigmoid", loop=ADAM),
    row("10-tanh", 1500, 10, act="tanh", init="tiny", loop=Loop("sgd", 0.01)),
    row("5-tiny", 1500, 5, init="tiny", loop=Loop("sgd", 0.05)),
    row("6-unit", 1500, 6, init="unit", loop=Loop("sgd", 0.01)),
    row("4-rate-high", 1500, 4, loop=Loop("adam", 0.3)),
    row("4-rate-low", 1500, 4, loop=Loop("sgd", 1e-4)),
    row("3-pixels-255", 1500, 3, scale=255.0, loop=Loop("sgd", 1.0)),
    row("4-dead", 1500, 4, bias=-1.0, loop=Loop("sgd", 0.02)),
    row("8-softplus", 1500, 8, act="softplus", loop=Loop("sgd", 0.02)),
)
