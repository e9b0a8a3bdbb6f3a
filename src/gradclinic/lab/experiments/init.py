"""He 2015 in small: a deep ReLU network learns from Kaiming's initialisation and stalls from Xavier's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import nn

from ..data import digits
from ..experiment import Claim, Experiment, Figure, Row, Settings, at_least, at_most, mean, pick
from ..figures import lines
from ..training import accuracy, train_classifier
from ..zoo import mlp


def conditions(settings: Settings) -> Iterable[Mapping[str, Any]]:
    for depth in settings["depths"]:
        for init in ("xavier", "kaiming"):
            yield {"init": init, "depth": depth, "width": settings["width"], "steps": settings["steps"]}


def measure(init: str, depth: int, width: int, steps: int, seed: int) -> Mapping[str, Any]:
    x, y, test_x, test_y = digits()
    model = mlp(64, width, depth, 10)
    for layer in model:
        if isinstance(layer, nn.Linear):
            if init == "xavier":
                nn.init.xavier_normal_(layer.weight)
            else:
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
    # For 30 layers rates from 0.003 to 0.03 train, 0.1 does not: the curvature of the logits grows with the depth.
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    losses = train_classifier(model, optimizer, x, y, steps)
    return {"accuracy": accuracy(model, test_x, test_y), "losses": losses[:: max(1, steps // 100)]}


def judge(rows: Sequence[Row]) -> list[Claim]:
    deepest = max(row["depth"] for row in rows)
    shallow = min(row["depth"] for row in rows)
    return [
        at_most(
            f"accuracy, {deepest} layers, Xavier: stalls",
            0.3,
            mean(pick(rows, depth=deepest, init="xavier"), "accuracy"),
        ),
        at_least(
            f"accuracy, {deepest} layers, Kaiming: learns",
            0.8,
            mean(pick(rows, depth=deepest, init="kaiming"), "accuracy"),
        ),
        at_least(
            f"accuracy, {shallow} layers, Xavier: learns",
            0.8,
            mean(pick(rows, depth=shallow, init="xavier"), "accuracy"),
        ),
    ]


def draw(rows: Sequence[Row]) -> list[Figure]:
    depths = sorted({row["depth"] for row in rows})
    curves = {
        init: (depths, [mean(pick(rows, depth=depth, init=init), "accuracy") for depth in depths])
        for init in ("xavier", "kaiming")
    }
    first = [row for row in rows if row["seed"] == 0 and row["depth"] == depths[-1]]
    losses = {row["init"]: (list(range(len(row["losses"]))), row["losses"]) for row in first}
    return [
        lines("Accuracy by depth", "On digits that were not trained on.", curves, ("hidden layers", "accuracy")),
        lines(
            "Loss of the deepest", "From start to end of the training.", losses, ("% of the steps", "loss"), marks=False
        ),
    ]


EXPERIMENT = Experiment(
    name="init",
    title="Kaiming's initialisation trains deep ReLU networks where Xavier's stalls",
    paper="He, Zhang, Ren, Sun 2015: Delving deep into rectifiers (figure 3)",
    quick={"depths": (3, 30), "width": 128, "steps": 600},
    full={"depths": (3, 10, 20, 30, 50), "width": 128, "steps": 3000},
    conditions=conditions,
    measure=measure,
    judge=judge,
    draw=draw,
)
