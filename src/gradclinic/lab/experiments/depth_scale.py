"""How deep a tanh network can be trained: as deep as information travels (Schoenholz 2017)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import inf, sqrt
from typing import Any

import torch
from torch import nn

from ..data import digits
from ..experiment import Claim, Experiment, Figure, Row, Settings, at_least, at_most, mean, near, pick
from ..figures import grid
from ..mean_field import correlation_depth, gradient_factor
from ..signal import deltas, per_layer
from ..training import accuracy, train_classifier
from ..zoo import mlp

#: σ_b² of the paper's figure 5.
BIAS = 0.05
#: Trained in 200 steps up to so many ξ_c by the paper's rule, and no more from twice as many on.
RULE = 6.0


def conditions(settings: Settings) -> Iterable[Mapping[str, Any]]:
    for weight in settings["weights"]:
        for depth in settings["depths"]:
            yield {"weight": weight, "depth": depth, "width": settings["width"], "steps": settings["steps"]}


def measure(weight: float, depth: int, width: int, steps: int, seed: int) -> Mapping[str, Any]:
    x, y, *_ = digits()
    model = mlp(64, width, depth, 10, nn.Tanh)
    for layer in model:
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, 0, sqrt(weight / layer.in_features))
            nn.init.normal_(layer.bias, 0, sqrt(BIAS))
    cotangent = torch.randn(128, 10)
    sizes = deltas(model, x[:128], lambda out: (out * cotangent).sum(), nn.Tanh)
    # A rate of 1e-2 for width 300 and standard parametrisation; the curvature grows with the width.
    train_classifier(model, torch.optim.SGD(model.parameters(), 3 / width), x, y, steps)
    scale = correlation_depth(weight, BIAS)
    return {
        "per_layer": per_layer(sizes),
        "theory": sqrt(gradient_factor(weight, BIAS)),
        "scale": scale if scale < inf else 1e6,
        "scales_deep": depth / scale,
        "accuracy": accuracy(model, x, y),
    }


def judge(rows: Sequence[Row]) -> list[Claim]:
    claims = []
    for weight in sorted({row["weight"] for row in rows}):
        deepest = max(row["depth"] for row in pick(rows, weight=weight))
        chosen = pick(rows, weight=weight, depth=deepest)
        says = f"gradient per layer at σ_w² = {weight:g}, {deepest} layers: √χ"
        claims.append(near(says, sqrt(gradient_factor(weight, BIAS)), mean(chosen, "per_layer"), 0.05))
    scales = [row["depth"] / correlation_depth(row["weight"], BIAS) for row in rows]
    shallow = [row for row, deep in zip(rows, scales, strict=True) if deep <= 0.75 * RULE]
    deep = [row for row, deep in zip(rows, scales, strict=True) if deep >= 2 * RULE]
    if shallow:
        claims.append(at_least("accuracy where depth ≤ 4.5 ξ_c: trains (mean)", 0.7, mean(shallow, "accuracy")))
    if deep:
        claims.append(at_most("accuracy where depth ≥ 12 ξ_c: does not (mean)", 0.3, mean(deep, "accuracy")))
    return claims


def draw(rows: Sequence[Row]) -> list[Figure]:
    weights, depths = (sorted({row[name] for row in rows}) for name in ("weight", "depth"))
    cells = [[mean(pick(rows, weight=weight, depth=depth), "accuracy") for weight in weights] for depth in depths]
    fine = [weights[0] + (weights[-1] - weights[0]) * place / 20 for place in range(21)]
    theory = {"6 ξ_c": (fine, [min(RULE * correlation_depth(weight, BIAS), 2 * depths[-1]) for weight in fine])}
    says = "Accuracy on what was trained on; the dashed line is six times the theory's depth scale."
    return [
        grid(
            "How deep is trainable",
            says,
            (weights, depths, cells),
            ("σ_w²", "layers"),
            colour="accuracy",
            theory=theory,
        )
    ]


EXPERIMENT = Experiment(
    name="depth-scale",
    title="A tanh network trains as deep as information travels: about six depth scales",
    paper="Schoenholz, Gilmer, Ganguli, Sohl-Dickstein 2017: Deep information propagation (figure 5)",
    quick={"weights": (1.0, 1.4, 1.76, 2.5), "depths": (10, 15, 45), "width": 150, "steps": 200},
    full={
        "weights": (1.0, 1.2, 1.4, 1.6, 1.76, 2.0, 2.5, 3.0, 4.0),
        "depths": (5, 10, 20, 30, 50, 80, 120),
        "width": 300,
        "steps": 300,
    },
    conditions=conditions,
    measure=measure,
    judge=judge,
    draw=draw,
)
