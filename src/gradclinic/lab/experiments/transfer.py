"""A network trained on one task learns a related one from few examples (Yosinski 2014)."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import nn

from ..data import digits
from ..experiment import Claim, Experiment, Figure, Row, Settings, at_least, mean, pick
from ..figures import lines
from ..training import accuracy, train_classifier
from ..zoo import mlp

#: How the layers below the new head go on: with the head, at a tenth of its rate, or not at all.
WAYS = {"from scratch": None, "fine-tuned": 1.0, "a tenth of the rate": 0.1, "frozen": 0.0}
#: The old task, which digit is it, has these first images; the new one, is it odd, takes its examples from the others.
OLD = 1000
RATE = 3e-3


def conditions(settings: Settings) -> Iterable[Mapping[str, Any]]:
    for way in WAYS:
        for examples in settings["examples"]:
            yield {
                "way": way,
                "examples": examples,
                **{name: settings[name] for name in ("width", "pretraining", "steps", "draws")},
            }


def measure(
    way: str, examples: int, width: int, pretraining: int, steps: int, draws: int, seed: int
) -> Mapping[str, Any]:
    x, y, *_ = digits()
    learned = mlp(64, width, 3, 10)
    if WAYS[way] is not None:
        train_classifier(learned, torch.optim.Adam(learned.parameters(), RATE), x[:OLD], y[:OLD], pretraining)
    found = [_second(learned, WAYS[way], width, examples, steps) for _ in range(draws)]
    return {"accuracy": sum(found) / draws}


def _second(learned: nn.Sequential, share: float | None, width: int, examples: int, steps: int) -> float:
    """Accuracy on the new task, from some examples of it."""
    x, y, test_x, test_y = digits()
    model = copy.deepcopy(learned)
    model[-1] = nn.Linear(width, 2)
    chosen = OLD + torch.randperm(len(x) - OLD)[:examples]
    groups: list[dict[str, Any]] = [
        {"params": list(model[-1].parameters())},
        {"params": list(model[:-1].parameters()), "lr": RATE * (1.0 if share is None else share)},
    ]
    optimizer = torch.optim.Adam(groups, RATE)
    train_classifier(model, optimizer, x[chosen], y[chosen] % 2, steps, 32)
    return accuracy(model, test_x, test_y % 2)


def judge(rows: Sequence[Row]) -> list[Claim]:
    few, many = (end(row["examples"] for row in rows) for end in (min, max))

    def gain(way: str, examples: int) -> float:
        return mean(pick(rows, way=way, examples=examples), "accuracy") - mean(
            pick(rows, way="from scratch", examples=examples), "accuracy"
        )

    ways = [way for way in WAYS if way != "from scratch"]
    # What way is best depends on the examples: frozen features for a few, all of them in motion for many.
    best_few, best_many = (max(gain(way, examples) for way in ways) for examples in (few, many))
    return [
        at_least(f"accuracy won by what was learned, best way, {few} examples", 0.03, best_few),
        at_least(f"the same less what is won with {many} examples", 0.01, best_few - best_many),
        at_least(
            f"accuracy from scratch, {many} less {few} examples",
            0.1,
            mean(pick(rows, way="from scratch", examples=many), "accuracy")
            - mean(pick(rows, way="from scratch", examples=few), "accuracy"),
        ),
    ]


def draw(rows: Sequence[Row]) -> list[Figure]:
    counts = sorted({row["examples"] for row in rows})
    curves = {way: (counts, [mean(pick(rows, way=way, examples=n), "accuracy") for n in counts]) for way in WAYS}
    says = "Is a digit odd? On digits that were not trained on; learned before: which digit it is."
    return [lines("Accuracy on the new task", says, curves, ("examples of the new task", "accuracy"), log="x")]


EXPERIMENT = Experiment(
    name="transfer",
    title="What was learned on one task helps on another, the more the fewer examples it has",
    paper="Yosinski, Clune, Bengio, Lipson 2014: How transferable are features in deep neural networks?",
    quick={"examples": (20, 400), "width": 64, "pretraining": 300, "steps": 150, "draws": 4},
    full={"examples": (10, 20, 50, 100, 200, 500), "width": 128, "pretraining": 1500, "steps": 1000, "draws": 5},
    conditions=conditions,
    measure=measure,
    judge=judge,
    draw=draw,
)
