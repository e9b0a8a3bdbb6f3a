"""Is there a way down that the gradient does not show: a direction of negative curvature, and a step along it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import torch
from torch import Tensor

from gradclinic.measure.jacobian import Split, hessian_product
from gradclinic.measure.jacobian.flat import Layout
from gradclinic.measure.jacobian.lanczos import smallest_eigenpair

#: The quadratic model's gain at the shortest step that is tried, in units of what would matter, is the square of this:
#: the loss bends away from the model, so steps that would gain 4, 16 and 64 times as much are tried too.
STEPS = (1.0, 2.0, 4.0, 8.0)


@dataclass(frozen=True, slots=True)
class Descent:
    """The way down."""

    lowest: float  #: the smallest eigenvalue of the Hessian on the first half of the batches
    largest: float  #: the largest magnitude of any
    gain: float  #: how much the loss falls along its direction, on the other half


def negative_curvature(splits: Sequence[Split], worth: float, *, generator: torch.Generator | None = None) -> Descent:
    """The smallest eigenvalue by Lanczos' method, and what a step along its direction gains.

    Curvature alone convicts nobody: a trained network has slightly negative directions on any few batches, along which
    nothing is to be gained on others.  ``splits``: of several batches at the same weights, one at least; direction and
    step are chosen on the first half.  ``worth``: the least fall of the loss that matters.  Raises NoSecondDerivative,
    NotFinite, and what the closure raises.
    """
    half = -(-len(splits) // 2)
    seen, new = splits[:half], splits[half:] or splits
    first = splits[0]
    operator = hessian_product(lambda point: _mean(seen, point), first.parameters)
    lowest, largest, vector = smallest_eigenpair(operator, generator=generator)
    if not lowest < 0:
        return Descent(lowest, largest, 0.0)
    layout = Layout.of(first.parameters)

    def at(change: Tensor, where: Sequence[Split]) -> float:
        pairs = zip(first.parameters, layout.split(change), strict=True)
        return float(_mean(where, [(parameter + part).detach() for parameter, part in pairs]).detach())

    unit = sqrt(2 * worth / -lowest)
    best = min((sign * step * unit * vector for step in STEPS for sign in (1.0, -1.0)), key=lambda to: at(to, seen))
    return Descent(lowest, largest, max(0.0, at(torch.zeros_like(vector), new) - at(best, new)))


def _mean(splits: Sequence[Split], point: Sequence[Tensor]) -> Tensor:
    losses = [split.loss_at(point) for split in splits if split.loss_at is not None]
    return torch.stack(losses).mean()
