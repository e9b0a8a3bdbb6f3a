"""The largest curvature that a learning rate meets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Literal

import torch
from torch import Tensor

from .curvature import gauss_newton
from .exceptions import NoForwardMode
from .gram import gram_bound
from .lanczos import MAXIMUM, TOLERANCE, largest_eigenvalues
from .products import MODES
from .split import Split


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
) -> Curvature:
    """By Lanczos where J v can be had, else bounded from below by :func:`~.gram.gram_bound`.

    The optimizer's stability limit over this is the largest stable learning rate.  Raises NotConnected,
    NoSecondDerivative, NotFinite, ValueError for a preconditioner that does not fit.
    """
    try:
        operator = gauss_newton(found, preconditioner, modes=modes)
        best = largest_eigenvalues(operator, tolerance=tolerance, maximum=maximum, generator=generator)
    except NoForwardMode:
        value, passes = gram_bound(found, preconditioner, generator=generator)
        return Curvature(value, inf, False, passes, "gram")
    return Curvature(best.values[0], best.bounds[0], best.converged, best.products, "lanczos")
