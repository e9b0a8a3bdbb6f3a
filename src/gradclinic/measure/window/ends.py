"""Both ends of the window on one batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Any

import torch
from torch import Tensor, nn

from gradclinic.measure.jacobian import Split, largest_curvature, split

from .settle import Settled
from .speed import speed


@dataclass(frozen=True, slots=True)
class Ends:
    """One batch's ends, in learning rates of the fastest group."""

    speed: float  #: ρ, e-folds per unit of learning rate and step, momentum's gain not counted
    curvature: float  #: λ_max of P^½ G P^½
    low: float  #: below it the budget is too short
    high: float  #: above it steps overshoot
    missed: float  #: share of the gradient that does not come through the outputs


#: e-folds of the samples' error that a budget must allow.  First trials (90 classifiers): runs that learned had 0.3 to
#: 300, the others less than 0.01; in between nets learn features on the way, under Adam from 1e-3 on.
LEARNS = 1e-2


def measure_ends(
    model: nn.Module,
    loss: Callable[[nn.Module, Any], Tensor],
    batch: Any,
    settled: Settled,
    steps: int,
    *,
    seed: int = 0,
    generator: torch.Generator | None = None,
) -> Ends:
    """The window's ends at the model's weights on one batch, for a budget of ``steps``.

    Raises NoSplit and NotConnected (see :func:`~gradclinic.measure.jacobian.split`).
    """
    found = split(model, loss, batch, seed=seed)
    diagonal = _in_order(found, model, settled)
    rho = speed(found, diagonal)
    curvature = max(largest_curvature(found, diagonal, generator=generator).value, 0.0)
    carried = rho * settled.gain * steps
    return Ends(
        rho,
        curvature,
        LEARNS / carried if carried > 0 else inf,
        settled.limit / curvature if curvature > 0 else inf,
        found.missed,
    )


def _in_order(found: Split, model: nn.Module, settled: Settled) -> list[Tensor]:
    """P for the parameters of a split, by name; 0 for those that the optimizer does not hold."""
    named = dict(model.named_parameters())
    known = {id(parameter): own for parameter, own in zip(settled.parameters, settled.diagonal, strict=True)}
    return [known.get(id(named[name]), torch.zeros_like(named[name])) for name in found.names]
