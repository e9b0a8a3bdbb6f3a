"""What sets both ends of the window, on one batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gradclinic.measure.jacobian import Split, largest_curvature

from .settle import Settled
from .speed import speed

#: Products with the curvature: after four, Lanczos' method has the largest eigenvalue of a network to some ten percent
#: from below.  A learning rate is not known better, and a check-up has 40 backward passes for everything.
PRODUCTS = 4


@dataclass(frozen=True, slots=True)
class Ends:
    """One batch's measurements, per unit of learning rate of the fastest group."""

    speed: float  #: ρ, e-folds of the samples' error per step, momentum's gain not counted
    curvature: float | None  #: λ_max of P^½ G P^½; None where it was not asked for
    gain: float  #: how far one gradient carries, through momentum
    limit: float  #: of lr·λ_max
    how: str = ""  #: of the curvature: "lanczos", or "gram" for a lower bound

    def to_dict(self) -> dict[str, Any]:
        """As an event has it."""
        return {name: getattr(self, name) for name in ("speed", "curvature", "gain", "limit", "how")}


def measure_ends(
    found: Split,
    settled: Settled,
    *,
    bend: bool = True,
    generator: torch.Generator | None = None,
) -> Ends:
    """The speed and, where ``bend``, the curvature at the weights that ``found`` was split at.

    ``settled`` is of an optimizer of the same model, or of a copy of it.

    Raises NotConnected, NotFinite, NoSecondDerivative (see :mod:`~gradclinic.measure.jacobian`).
    """
    diagonal = in_order(found, settled)
    rho = speed(found, diagonal)
    if not bend:
        return Ends(rho, None, settled.gain, settled.limit)
    curvature = largest_curvature(found, diagonal, maximum=PRODUCTS, generator=generator, lean=True)
    return Ends(rho, max(curvature.value, 0.0), settled.gain, settled.limit, curvature.how)


def in_order(found: Split, settled: Settled) -> list[Tensor]:
    """P for the parameters of a split; 0 for those that the optimizer does not hold."""
    pairs = zip(found.names, found.parameters, strict=True)
    return [settled.diagonal.get(name, torch.zeros_like(parameter)) for name, parameter in pairs]
