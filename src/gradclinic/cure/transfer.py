"""From pretrained weights to a recipe for the new task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from gradclinic.task import Task

from .pretrained import LayerRate, Match, load_matching, measure_rates, options_of
from .recipe import Change, Recipe

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

    ``state`` is a state dict, or a checkpoint with one in it.  Layers are measured on the task's first eight batches,
    by their gradients and the optimizer's first step (Howard and Ruder 2018, arXiv:1801.06146; see
    :mod:`gradclinic.cure.pretrained.rates`).  Go on with
    ``model, optimizer = found.recipe.apply(task.model, task.new_optimizer())``.

    Raises:
        UserError: no weight fits.
    """
    match = load_matching(task.model, state)
    rates = measure_rates(task, match.loaded, list(islice(task.stream(), BATCHES)))
    change = Change("discriminative_rates", options_of(rates))
    return Transfer(match, rates, Recipe.of(change, note="for a model with pretrained weights"))


def _from(rate: LayerRate) -> str:
    return "frozen" if rate.start is None else f"from step {rate.start}"
