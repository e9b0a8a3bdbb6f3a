"""word2vec on text that ships with Python: sparse gradients, and what the vectors' products mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import log
from typing import Any

import torch
from torch import Tensor

from ..data import words
from ..experiment import Claim, Experiment, Figure, Row, Settings, at_least, at_most, mean, near, pick
from ..figures import lines
from ..zoo import SkipGram

#: Words to either side that count as neighbours, and words drawn for each (Mikolov 2013: 5 to 20 for small data).
WINDOW, DRAWN = 2, 5
BATCH = 256
#: Steps after which sparse and dense are compared: rounding grows with the training.
EARLY = 50


def conditions(settings: Settings) -> Iterable[Mapping[str, Any]]:
    for gradients in ("sparse", "dense"):
        yield {"gradients": gradients, **settings}


def measure(gradients: str, vocabulary: int, width: int, steps: int, seed: int) -> Mapping[str, Any]:
    _, text = words(vocabulary)
    centres, neighbours = _pairs(torch.tensor(text))
    counts = torch.bincount(centres, minlength=vocabulary).double()
    noise = counts**0.75  # as the paper draws them
    model = SkipGram(vocabulary, width, sparse=gradients == "sparse")
    # Plain SGD, whose steps for sparse and for dense gradients are the same; the loss is a mean over the batch.
    optimizer = torch.optim.SGD(model.parameters(), BATCH * 0.04)
    losses, touched, early = [], 0, 0.0
    for _ in range(steps):
        chosen = torch.randint(len(centres), (BATCH,))
        drawn = torch.multinomial(noise, BATCH * DRAWN, replacement=True).reshape(BATCH, DRAWN)
        loss = model.loss(centres[chosen], torch.cat([neighbours[chosen][:, None], drawn], 1))
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        losses.append(float(loss.detach()))
        if len(losses) == EARLY:
            early = float(model.centres.weight.detach().double().square().sum())
        touched += len(set(centres[chosen].tolist()))
    return {
        "rows_with_gradient": touched / (steps * vocabulary),
        "loss_start": losses[0],
        "loss_end": sum(losses[-50:]) / 50,
        "information": _information(model, centres, neighbours, noise),
        "losses": losses[:: max(1, steps // 100)],
        "early": early,
    }


def _pairs(text: Tensor) -> tuple[Tensor, Tensor]:
    """Every word with each neighbour within the window: two columns (pairs,)."""
    shifts = [shift for shift in range(-WINDOW, WINDOW + 1) if shift]
    centre = text[WINDOW:-WINDOW]
    return centre.repeat(len(shifts)), torch.cat(
        [text[WINDOW + shift : len(text) - WINDOW + shift] for shift in shifts]
    )


@torch.no_grad()
def _information(model: SkipGram, centres: Tensor, neighbours: Tensor, noise: Tensor) -> float:
    """Correlation of the products with ln p(n|c)/p_drawn(n) - ln k over pairs that occur at least ten times."""
    size = len(noise)
    joint = torch.bincount(centres * size + neighbours, minlength=size * size).double().reshape(size, size)
    often = joint >= 10
    drawn = noise / noise.sum()
    target = (joint / joint.sum(1, keepdim=True).clamp_min(1) / drawn).clamp_min(1e-12).log() - log(DRAWN)
    products = model.centres.weight.double() @ model.neighbours.weight.double().T
    return float(torch.corrcoef(torch.stack([products[often], target[often]]))[0, 1])


def judge(rows: Sequence[Row]) -> list[Claim]:
    sparse, dense = pick(rows, gradients="sparse"), pick(rows, gradients="dense")
    return [
        near("loss at the start: (1 + k) ln 2", (1 + DRAWN) * log(2), mean(sparse, "loss_start"), 1e-4),
        at_least("loss at the start over that at the end", 1.5, mean(sparse, "loss_start") / mean(sparse, "loss_end")),
        at_most("share of the words that have a gradient in a step", 1 / 3, mean(sparse, "rows_with_gradient")),
        near(
            f"sparse and dense gradients train the same vectors: their squares after {EARLY} steps",
            mean(dense, "early"),
            mean(sparse, "early"),
            1e-4,
        ),
        at_least(
            "products are shifted mutual information (Levy, Goldberg 2014): correlation",
            0.4,
            mean(sparse, "information"),
        ),
    ]


def draw(rows: Sequence[Row]) -> list[Figure]:
    curves = {
        row["gradients"]: ([100 * i / len(row["losses"]) for i in range(len(row["losses"]))], row["losses"])
        for row in rows
        if row["seed"] == 0
    }
    return [
        lines(
            "The loss",
            "Both curves are one: gradients are the same, sparse or dense.",
            curves,
            ("% of the steps", "loss"),
            marks=False,
        )
    ]


EXPERIMENT = Experiment(
    name="skip-gram",
    title="Skip-gram with negative sampling: few rows have a gradient, and products become mutual information",
    paper="Mikolov 2013: Distributed representations of words and phrases; Levy, Goldberg 2014",
    quick={"vocabulary": 2000, "width": 32, "steps": 3000},
    full={"vocabulary": 5000, "width": 100, "steps": 20000},
    conditions=conditions,
    measure=measure,
    judge=judge,
    draw=draw,
)
