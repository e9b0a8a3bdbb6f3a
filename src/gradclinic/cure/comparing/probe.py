"""What is measured on a model while it trains, always on the same batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, islice
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from gradclinic.measure.jacobian import NoProduct
from gradclinic.measure.noise_scale import FEWEST, NoiseScale, gradient_products, noise_scale
from gradclinic.measure.optimizers import NotApplicable
from gradclinic.measure.window import stability_margin
from gradclinic.task import Target, Task, parts_of, samples_of

from ..trials.generators import unchanged
from .contestants import Round

#: Gradients of a noise scale: with so many its interval has both ends as soon as B_simple is below some eight batches.
GRADIENTS = 32
#: Batches whose mean loss the curvature is that of: one batch bends more than all do together.
CURVED = 8


@dataclass(frozen=True, slots=True)
class Probe:
    """Batches of equal size that no training writes to."""

    batches: tuple[Any, ...]
    size: int  #: samples in each
    population: int | None  #: samples in a whole round, where it has an end
    why: str = ""  #: why no noise can be told

    @classmethod
    def of(cls, target: Target, seed: int) -> Probe:
        """From the user's own task, built anew; the generators are the caller's to restore."""
        task = target.build(seed)
        found = Round.count(task, task.steps)
        # Of one round, so that no sample comes twice.
        stream = task.batches() if found.ends else task.stream()
        batches = list(islice(chain.from_iterable(map(parts_of, stream)), GRADIENTS))
        size = samples_of(batches[0])
        equal = tuple(batch for batch in batches if samples_of(batch) == size)
        why = ""
        if len(equal) < FEWEST:
            why = f"it is told from {FEWEST} batches of equal size at least, and a round has {len(equal)}"
        return cls(equal, size, found.samples if found.ends else None, why)

    def noise(self, task: Task, model: nn.Module, seed: int) -> NoiseScale | None:
        """Of the gradient at these weights; None where it cannot be measured."""
        if self.why:
            return None
        try:
            with unchanged():
                products = gradient_products(model, task.loss, self.batches, seed=seed)
            return noise_scale(products, self.size, self.population)
        except (NoProduct, ValueError):
            return None

    def margin(self, task: Task, model: nn.Module, optimizer: Optimizer, seed: int) -> float | None:
        """The limit of stability over the rate that is used; None where it cannot be measured."""
        try:
            with unchanged():
                return stability_margin(model, task.loss, optimizer, self.batches[:CURVED], seed=seed)
        except (NoProduct, NotApplicable, ValueError):
            return None


def copied(model: nn.Module) -> list[Tensor]:
    """The weights that train, as they are now."""
    return [p.detach().clone() for p in model.parameters() if p.requires_grad]


def update_ratio(model: nn.Module, before: Sequence[Tensor]) -> float | None:
    """The median over the weight tensors of ‖Δw‖/‖w‖ since ``before``; None where all were 0."""
    pairs = list(zip(copied(model), before, strict=True))
    with torch.no_grad():
        ratios = [float((now - old).norm() / old.norm()) for now, old in pairs if bool(old.norm() > 0)]
    return median(ratios) if ratios else None
