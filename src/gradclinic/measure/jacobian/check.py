"""Whether two products belong to one matrix: torch drops paths without a word where it cannot differentiate them."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite, sqrt

import torch
from torch import Tensor

from .operators import drawn

#: How far <A v, u> and <v, Aᵀ u> may lie apart for a random u, as a fraction of ‖A v‖.  Rounding in half precision
#: over tens of layers stays below; a derivative that lost a branch does not.
AGREEMENT = 0.05
#: A wrong product with an error of a third of ‖A v‖ passes one random u once in eight times, and all three once in 500.
TRIES = 3
#: A product's rounding, seen once, times this is not exceeded again.
ROUNDING = 10.0


def agree(
    times: Callable[[Tensor], Tensor],
    adjoint: Callable[[Tensor], Tensor],
    rows: int,
    columns: int,
    device: torch.device,
    tries: int = TRIES,
    dtype: torch.dtype = torch.float64,
) -> bool:
    """Whether ``adjoint`` is that of ``times``, to :data:`AGREEMENT`.

    Takes 2 products of the one, and of the other one more than ``tries``; ``dtype`` is that of v.

    Differences that rounding makes count for nothing: a saturated softmax and subnormal numbers leave little else.
    Where the adjoint itself is not finite, the product must not be.
    """
    generator = torch.Generator().manual_seed(0)
    v = drawn(columns, generator, device, dtype).div_(sqrt(columns))
    image = times(v)
    length = _norm(image)
    noise = 0.0
    for place in range(tries):
        u = drawn(rows, generator, image.device)
        back = adjoint(u).to(v.dtype)
        here, there = float(image @ u), float(v @ back)
        if not isfinite(there):
            return not isfinite(length)
        if place == 0:
            # Three times a vector has other digits: what is not three times the product is rounding.
            noise = _norm(times(3 * v).sub_(image, alpha=3))
            noise += _norm(adjoint(3 * u).to(v.dtype).sub_(back, alpha=3)) / sqrt(columns)
        if not abs(here - there) <= max(AGREEMENT * length, ROUNDING * noise):
            return False
    return True


def _norm(vector: Tensor) -> float:
    return float(torch.linalg.vector_norm(vector))
