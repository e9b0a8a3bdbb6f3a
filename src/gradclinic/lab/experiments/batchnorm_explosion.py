"""Batch normalisation makes the gradient grow with depth, layer normalisation does not (Yang 2019)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import pi, sqrt
from typing import Any

import torch
from torch import nn

from ..experiment import Claim, Experiment, Figure, Row, Settings, at_least, mean, near, pick
from ..figures import lines
from ..signal import deltas, per_layer
from ..zoo import mlp

NORMS = {"batch": nn.BatchNorm1d, "layer": nn.LayerNorm}
#: The first layers still know the inputs, the last ones the cotangent: the rate is read between.
EDGE = 5


def conditions(settings: Settings) -> Iterable[Mapping[str, Any]]:
    for norm in NORMS:
        for batch in settings["batches"]:
            yield {"norm": norm, "batch": batch, "width": settings["width"], "depth": settings["depth"]}


def measure(norm: str, batch: int, width: int, depth: int, seed: int) -> Mapping[str, Any]:
    model = mlp(width, width, depth, 10, nn.ReLU, NORMS[norm])
    for layer in model:
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, 0, layer.in_features**-0.5)
            nn.init.zeros_(layer.bias)
    cotangent = torch.randn(batch, 10)
    sizes = deltas(model, torch.randn(batch, width), lambda out: (out * cotangent).sum(), NORMS[norm])
    return {"per_layer": per_layer(sizes[EDGE:-EDGE]), "squared": per_layer(sizes[EDGE:-EDGE]) ** 2, "deltas": sizes}


def judge(rows: Sequence[Row]) -> list[Claim]:
    large, small = max(row["batch"] for row in rows), min(row["batch"] for row in rows)
    batch = mean(pick(rows, norm="batch", batch=large), "squared")
    return [
        # π/(π - 1) in the limit of large batches; at 128 it is measured 0 to 1% above, at width 256 within 5%.
        near(f"‖δ‖² per layer, batch norm, batches of {large}: π/(π-1)", pi / (pi - 1), batch, 0.05),
        near(
            f"‖δ‖ per layer, layer norm, batches of {large}: 1",
            1.0,
            mean(pick(rows, norm="layer", batch=large), "per_layer"),
            0.03,
        ),
        at_least(
            f"small batches are worse: ‖δ‖² per layer at {small} over that at {large}",
            1.1,
            mean(pick(rows, norm="batch", batch=small), "squared") / batch,
        ),
    ]


def draw(rows: Sequence[Row]) -> list[Figure]:
    first = [row for row in rows if row["seed"] == 0]
    curves = {
        f"{row['norm']} norm, batches of {row['batch']}": (
            list(range(1, len(row["deltas"]) + 1)),
            [size / row["deltas"][-1] for size in row["deltas"]],
        )
        for row in first
    }
    depth = max(row["depth"] for row in rows)
    theory = {
        "√(π/(π-1)) per layer": (
            list(range(1, depth + 1)),
            [sqrt(pi / (pi - 1)) ** (depth - place) for place in range(1, depth + 1)],
        )
    }
    says = "‖∂loss/∂(input of the normalisation)‖ at the start, relative to the last layer."
    return [
        lines(
            "The gradient on its way back",
            says,
            curves,
            ("layer", "‖δ‖ over that of the last"),
            log="y",
            theory=theory,
            marks=False,
        )
    ]


EXPERIMENT = Experiment(
    name="batchnorm-explosion",
    title="Batch normalisation alone makes gradients explode with depth",
    paper="Yang, Pennington, Rao, Sohl-Dickstein, Schoenholz 2019: A mean field theory of batch normalization",
    quick={"batches": (8, 32, 128), "width": 256, "depth": 40},
    full={"batches": (8, 32, 128, 512), "width": 1000, "depth": 100},
    conditions=conditions,
    measure=measure,
    judge=judge,
    draw=draw,
)
