"""From pretrained weights to a recipe for the new task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from gradclinic.task import Task

from ..recipe import Change, Recipe
from .match import Match, load_matching
from .rates import LayerRate, measure_rates

#: Batches that gradients are measured on: enough to tell agreement from noise.
BATCHES = 8


@dataclass(frozen=True, slots=True)
class Transfer:
    """What was loaded, what was measured, and how to go on."""

    match: Match
    rates: tuple[LayerRate, ...]
    recipe: Recipe  #: for the model with the weights in it

    def __str__(self) -> str:
        """The match, and a line for each layer."""
        rows = [
            f"{rate.layer or '(model)':<30} {'new' if rate.new else 'loaded':<7} gradient/weights {rate.ratio:<9.2g}"
            f" rate × {rate.factor:<7.3g} {_from(rate)}"
            for rate in self.rates
        ]
        return "\n".join([str(self.match), "", *rows])


def transfer(task: Task, state: Mapping[str, Any]) -> Transfer:
    """Loads what fits of ``state`` into ``task.model``, in place, and measures how fast each layer may learn.

    Go on with ``model, optimizer = found.recipe.apply(task.model, task.new_optimizer())``.

    Raises:
        UserError: no weight fits.
    """
    match = load_matching(task.model, state)
    rates = measure_rates(task, match.loaded, list(islice(task.stream(), BATCHES)))
    layers = {rate.layer: {"factor": rate.factor, "start": rate.start} for rate in rates if not rate.new}
    change = Change("discriminative_rates", {"layers": layers})
    return Transfer(match, rates, Recipe.of(change, note="for a model with pretrained weights"))


def _from(rate: LayerRate) -> str:
    return "frozen" if rate.start is None else f"from step {rate.start}"
