"""Clipping the gradient's norm carries a recurrent network over the cliffs of its loss (Pascanu 2013)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import nn

from ..experiment import Claim, Experiment, Figure, Row, Settings, at_least, at_most, mean, pick
from ..figures import lines
from ..sequences import temporal_order
from ..training import accuracy, train_classifier
from ..zoo import Recurrent

#: The paper's limit for the norm of the gradient.
LIMIT = 1.0


def conditions(settings: Settings) -> Iterable[Mapping[str, Any]]:
    for clipped in (False, True):
        for length in settings["lengths"]:
            yield {
                "clipped": clipped,
                "length": length,
                **{name: settings[name] for name in ("width", "steps", "radius", "rate")},
            }


def measure(
    clipped: bool, length: int, width: int, steps: int, radius: float, rate: float, seed: int
) -> Mapping[str, Any]:
    model = Recurrent("rnn", 6, width, 4)
    with torch.no_grad():  # its largest eigenvalue: at 1 and above, what is behind may explode
        weights = torch.randn(width, width)
        model.cell.weight_hh_l0.copy_(weights * radius / torch.linalg.eigvals(weights).abs().max())
    x, y = temporal_order(2000, length)
    norms: list[float] = []

    def before_step() -> None:
        norms.append(float(nn.utils.clip_grad_norm_(model.parameters(), LIMIT if clipped else float("inf"))))

    losses = train_classifier(
        model, torch.optim.SGD(model.parameters(), rate), x, y, steps, 32, before_step=before_step
    )
    return {
        "accuracy": accuracy(model, *temporal_order(500, length)),
        "loss_worst": max(losses),
        "loss_end": sum(losses[-50:]) / len(losses[-50:]),
        "norm_largest": max(norms),
        "norm_median": sorted(norms)[len(norms) // 2],
        "losses": losses[:: max(1, steps // 200)],
    }


def judge(rows: Sequence[Row]) -> list[Claim]:
    length = min(row["length"] for row in rows)
    free, clipped = (pick(rows, clipped=each, length=length) for each in (False, True))
    return [
        at_least(
            "cliffs: the largest gradient norm over the median, unclipped",
            20,
            max(row["norm_largest"] / row["norm_median"] for row in free),
        ),
        at_least(
            f"accuracy with clipping at {LIMIT:g}, length {length} (chance is 1/4)", 0.45, mean(clipped, "accuracy")
        ),
        at_least("accuracy with clipping less without", 0.1, mean(clipped, "accuracy") - mean(free, "accuracy")),
        at_most(
            "worst loss with clipping over that without", 1.0, mean(clipped, "loss_worst") / mean(free, "loss_worst")
        ),
    ]


def draw(rows: Sequence[Row]) -> list[Figure]:
    length = min(row["length"] for row in rows)
    first = [row for row in rows if row["length"] == length and row["seed"] == 0]
    curves = {
        "clipped" if row["clipped"] else "not clipped": (
            [100 * place / len(row["losses"]) for place in range(len(row["losses"]))],
            row["losses"],
        )
        for row in first
    }
    lengths = sorted({row["length"] for row in rows})
    right = {
        name: (lengths, [mean(pick(rows, clipped=each, length=n), "accuracy") for n in lengths])
        for name, each in (("clipped", True), ("not clipped", False))
    }
    return [
        lines(
            "The loss",
            f"Temporal order, length {length}; a step over a cliff throws it up.",
            curves,
            ("% of the steps", "loss"),
            log="y",
            marks=False,
        ),
        lines("Accuracy by length", "On new sequences; chance is 1/4.", right, ("length", "accuracy")),
    ]


EXPERIMENT = Experiment(
    name="clipping",
    title="Clipping the gradient's norm lets a recurrent network train where plain SGD is thrown off its cliffs",
    paper="Pascanu, Mikolov, Bengio 2013: On the difficulty of training recurrent neural networks (figure 6)",
    quick={"lengths": (20,), "width": 50, "steps": 1000, "radius": 1.2, "rate": 0.3},
    full={"lengths": (20, 30, 40, 50), "width": 50, "steps": 20000, "radius": 1.2, "rate": 0.1},
    conditions=conditions,
    measure=measure,
    judge=judge,
    draw=draw,
)
