"""What the activation and the scale of the weights do to the gradient on its way back (Glorot, Bengio 2010)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import nn

from ..data import digits
from ..experiment import Claim, Experiment, Figure, Row, Settings, at_least, at_most, mean, near, pick
from ..figures import lines
from ..signal import deltas, per_layer
from ..training import accuracy, train_classifier
from ..zoo import mlp

ACTIVATIONS: Mapping[str, type[nn.Module]] = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU}


def conditions(settings: Settings) -> Iterable[Mapping[str, Any]]:
    for activation in ACTIVATIONS:
        for init in ("standard", "xavier", "kaiming"):
            yield {"activation": activation, "init": init, **settings}


def measure(
    activation: str, init: str, width: int, depth: int, trained: int, steps: int, seed: int
) -> Mapping[str, Any]:
    x, y, test_x, test_y = digits()
    model = mlp(64, width, depth, 10, ACTIVATIONS[activation])
    _start(model, init)
    # Small inputs: tanh is then linear, as the paper's theory takes it.  A random cotangent: no loss takes part.
    small = 0.01 * x[:256] if activation == "tanh" else x[:256]
    cotangent = torch.randn(256, 10)
    sizes = deltas(model, small, lambda out: (out * cotangent).sum(), ACTIVATIONS[activation])
    deep = mlp(64, 64, trained, 10, ACTIVATIONS[activation])
    _start(deep, init)
    train_classifier(deep, torch.optim.SGD(deep.parameters(), 0.1), x, y, steps)
    return {"per_layer": per_layer(sizes), "accuracy": accuracy(deep, test_x, test_y), "deltas": sizes}


def _start(model: nn.Module, init: str) -> None:
    """``standard``: U(±1/√n), which the paper calls the commonly used heuristic; variance 1/(3n)."""
    for layer in model.modules():
        if isinstance(layer, nn.Linear):
            if init == "xavier":
                nn.init.xavier_normal_(layer.weight)
            elif init == "kaiming":
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            else:
                nn.init.uniform_(layer.weight, -(layer.in_features**-0.5), layer.in_features**-0.5)
            nn.init.zeros_(layer.bias)


def judge(rows: Sequence[Row]) -> list[Claim]:
    def factor(activation: str, init: str) -> float:
        return mean(pick(rows, activation=activation, init=init), "per_layer")

    def right(activation: str, init: str) -> float:
        return mean(pick(rows, activation=activation, init=init), "accuracy")

    # Variance n·Var[W]·E[φ'²] per layer (equation 6): 1/3, 1 or 2, times 1 (linear), 1/2 (ReLU), 1/16 or a little less
    # (sigmoid: φ' ≤ 1/4).  8% on the norm covers a finite width over ten layers and the sigmoid's bend.
    return [
        near("gradient per layer, tanh, U(±1/√n): √(1/3)", 3**-0.5, factor("tanh", "standard"), 0.08),
        near("gradient per layer, tanh, Xavier: 1", 1.0, factor("tanh", "xavier"), 0.08),
        near("gradient per layer, ReLU, Xavier: √(1/2)", 0.5**0.5, factor("relu", "xavier"), 0.08),
        near("gradient per layer, ReLU, Kaiming: 1 (He 2015)", 1.0, factor("relu", "kaiming"), 0.08),
        near("gradient per layer, sigmoid, U(±1/√n): √(1/3)/4", 3**-0.5 / 4, factor("sigmoid", "standard"), 0.08),
        near("gradient per layer, sigmoid, Xavier: 1/4", 0.25, factor("sigmoid", "xavier"), 0.08),
        at_most(
            "accuracy, deep, sigmoid, best of three initialisations",
            0.3,
            max(right("sigmoid", init) for init in ("standard", "xavier", "kaiming")),
        ),
        at_least("accuracy, deep, tanh, Xavier", 0.9, right("tanh", "xavier")),
        at_least("accuracy, deep, ReLU, Kaiming", 0.9, right("relu", "kaiming")),
    ]


def draw(rows: Sequence[Row]) -> list[Figure]:
    first = [row for row in rows if row["seed"] == 0]
    curves = {
        f"{row['activation']}, {row['init']}": (
            list(range(1, len(row["deltas"]) + 1)),
            [size / row["deltas"][-1] for size in row["deltas"]],
        )
        for row in first
    }
    says = "‖∂loss/∂preactivation‖ of each hidden layer at the start, relative to the last."
    return [lines("The gradient on its way back", says, curves, ("layer", "‖δ‖ over that of the last"), log="y")]


EXPERIMENT = Experiment(
    name="sigmoid-vs-relu",
    title="The activation and the weights' scale decide what is left of the gradient, layer by layer",
    paper="Glorot, Bengio 2010: Understanding the difficulty of training deep feedforward neural networks; He 2015",
    quick={"width": 256, "depth": 10, "trained": 8, "steps": 300},
    full={"width": 1000, "depth": 20, "trained": 20, "steps": 3000},
    conditions=conditions,
    measure=measure,
    judge=judge,
    draw=draw,
)
