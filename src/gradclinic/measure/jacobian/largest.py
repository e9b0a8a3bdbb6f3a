"""The largest curvature that a learning rate meets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Literal

import torch
from torch import Tensor

from .check import TRIES
from .curvature import gauss_newton
from .exceptions import NoForwardMode
from .gram import DIRECTIONS, gram_bound
from .lanczos import MAXIMUM, TOLERANCE, largest_eigenvalues
from .lean import largest_lean
from .products import MODES
from .split import Split

#: Elements from which a vector in float64 weighs more than the few percent that float32 could cost.
LARGE = 1 << 20


@dataclass(frozen=True, slots=True)
class Curvature:
    """The largest eigenvalue of P^½ G P^½; in units of loss over (parameter² / P).

    ``value`` is never above it for a loss convex in the outputs; ``bound``: some eigenvalue lies within, inf for
    ``how`` "gram".  ``products``: with G, or backward passes.
    """

    value: float
    bound: float
    converged: bool
    products: int
    how: Literal["lanczos", "gram"]


def largest_curvature(
    found: Split,
    preconditioner: Sequence[Tensor] | None = None,
    *,
    tolerance: float = TOLERANCE,
    maximum: int = MAXIMUM,
    generator: torch.Generator | None = None,
    modes: Sequence[str] = MODES,
    lean: bool = False,
) -> Curvature:
    """By Lanczos where J v can be had, else bounded from below by :func:`~.gram.gram_bound`.

    ``lean``: in little memory (:func:`~.lean.largest_lean`; vectors of large models in float32), with J v held against
    the backward pass once and not thrice, and with half of the directions.
    The optimizer's stability limit over this is the largest stable learning rate.  Raises NotConnected,
    NoSecondDerivative, NotFinite, ValueError for a preconditioner that does not fit.
    """
    try:
        large = lean and sum(parameter.numel() for parameter in found.parameters) > LARGE
        dtype = torch.float32 if large else torch.float64
        operator = gauss_newton(found, preconditioner, modes=modes, tries=1 if lean else TRIES, dtype=dtype)
        search = largest_lean if lean else largest_eigenvalues
        best = search(operator, tolerance=tolerance, maximum=maximum, generator=generator)
    except NoForwardMode:
        directions = DIRECTIONS // 2 if lean else DIRECTIONS
        value, passes = gram_bound(found, preconditioner, directions=directions, generator=generator)
        return Curvature(value, inf, False, passes, "gram")
    return Curvature(best.values[0], best.bounds[0], best.converged, best.products, "lanczos")
