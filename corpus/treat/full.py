"""Whole trainings, and what they come to."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from gradclinic.cure import Recipe
from gradclinic.cure.trials import Outcome, Trial
from gradclinic.task import Target, own_generators

#: Of a training that broke: no accuracy is lower, and no R² counts for less.
BROKEN = 0.0, -100.0


@dataclass(frozen=True, slots=True)
class Run:
    """One training: points on the held-out data and how long it took."""

    metric: float
    seconds: float
    steps: int  #: taken; fewer than asked for where it broke

    @classmethod
    def of(cls, outcome: Outcome, classes: bool) -> Run:
        """A training that raised has the lowest metric there is."""
        metric = outcome.metric if outcome.metric is not None else BROKEN[0 if classes else 1]
        return cls(round(metric, 3), round(outcome.seconds, 3), outcome.steps)

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


def train(target: Target, recipe: Recipe, seed: int, steps: int, classes: bool) -> Run:
    """All ``steps`` of one training."""
    with own_generators():
        return Run.of(Trial(target, recipe, seed).advance(steps), classes)
