"""What a recipe does to the trainability window, measured at its initial weights, without training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite, log10
from typing import Any

import torch
from torch import nn

from gradclinic.measure.jacobian import NoProduct, split
from gradclinic.measure.optimizers import NotApplicable
from gradclinic.measure.window import measure_ends, settle
from gradclinic.task import Target

from .recipe import Recipe

#: Where in units of the limit of stability a training starts well: half of it for steps along the gradient; a
#: preconditioner that is made of the gradients themselves is far from settled, and bears a thirtieth.
FRACTION, ADAPTIVE = 0.5, 0.03
#: The same weights act at every step of a sequence, and the limit falls further as they learn: half of that again.
RECURRENT = 0.5
#: Adam and its like have a limit of 38; plain and heavy-ball ones stay below 4.
PLAIN = 4.0
#: Gradients that it costs: two for the preconditioner, one for the speed, four products with the curvature at about
#: two each, and the loss taken apart.
COST = 12
#: Batches that the preconditioner is made of.
BATCHES = 2


@dataclass(frozen=True, slots=True)
class Screened:
    """A recipe and its window."""

    recipe: Recipe
    lr: float = 0.0  #: set
    low: float = inf  #: the rate at which the samples' error falls by one e-fold in the budget
    stable: float = 0.0  #: the limit of stability at the initial weights
    start: float = 0.0  #: a rate to start with
    why: str = ""  #: why nothing could be measured

    @property
    def width(self) -> float:
        """Decades between the ends of the window; negative where it is empty, nan where it is not known."""
        if self.why:
            return float("nan")
        if not self.stable > 0 or not isfinite(self.low):
            return -inf
        return log10(self.stable / self.low) if isfinite(self.stable) else inf

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        own = {name: getattr(self, name) for name in ("lr", "low", "stable", "start", "why")}
        return {"changes": [change.to_dict() for change in self.recipe.changes], "width": self.width, **own}


def screen(target: Target, recipe: Recipe, seed: int, batches: Sequence[Any]) -> Screened:
    """Builds the model anew, applies ``recipe`` and measures; the generators are the caller's to restore.

    A recipe that does not fit raises CannotApply; what cannot be measured is said in ``why``.
    """
    task = target.build(seed)
    model, optimizer = recipe.apply(task.model, task.new_optimizer(), reversible=False)
    try:
        held = settle(model, task.loss, lambda _: optimizer, batches[:BATCHES])
        found = split(model, task.loss, batches[0], seed=seed, trusted=True)
        ends = measure_ends(found, held, generator=torch.Generator().manual_seed(seed))
    except (NoProduct, NotApplicable, ValueError) as error:
        return Screened(recipe, why=" ".join(str(error).split())[:200])
    except Exception as error:  # the user's loss, on a model that is not as it was
        return Screened(recipe, why=" ".join(f"{type(error).__name__}: {error}".split())[:200])
    speed, curvature = ends.speed * ends.gain * task.steps, ends.curvature or 0.0
    stable = ends.limit / curvature if curvature > 0 and isfinite(curvature) else (inf if curvature == 0 else 0.0)
    share = FRACTION if ends.limit <= PLAIN else ADAPTIVE
    if any(isinstance(module, nn.RNNBase | nn.RNNCellBase) for module in model.modules()):
        share *= RECURRENT
    low = 1 / speed if speed > 0 and isfinite(speed) else inf
    return Screened(recipe, held.lr, low, stable, stable * share)
