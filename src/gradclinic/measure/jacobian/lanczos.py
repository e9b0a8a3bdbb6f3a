"""The largest eigenvalues of a symmetric operator by Lanczos' method."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

import torch

from .basis import Basis
from .exceptions import NotFinite
from .operators import Symmetric, seeded

#: 1%: a learning rate is not known better than that.
TOLERANCE = 1e-2
#: The largest eigenvalue of a network's curvature stands apart: 10 to 20 products reach 1% at step 0.
MAXIMUM = 40


@dataclass(frozen=True, slots=True)
class Eigenvalues:
    """The largest eigenvalues, descending.

    ``values[i]`` is never above the i-th largest eigenvalue, and some eigenvalue lies within ``bounds[i]`` of it
    (the residual ‖S y - θ y‖), both to the products' rounding.  ``converged``: each bound is at most the tolerance
    times the value's magnitude.
    """

    values: tuple[float, ...]
    bounds: tuple[float, ...]
    converged: bool
    products: int


def largest_eigenvalues(
    operator: Symmetric,
    *,
    count: int = 1,
    tolerance: float = TOLERANCE,
    maximum: int = MAXIMUM,
    generator: torch.Generator | None = None,
) -> Eigenvalues:
    """The ``count`` algebraically largest eigenvalues, to a relative ``tolerance``.

    One product per step, at most ``maximum``; every vector is kept (8 bytes x size x steps) and each new one is made
    orthogonal to all (Lanczos 1950; Parlett 1980, ch. 13).  A repeated eigenvalue counts once.  ``generator``: on
    the CPU; the same seed gives the same result.  Raises NotFinite, ValueError where count or maximum is below 1.
    """
    if count < 1 or maximum < 1:
        raise ValueError(f"count and maximum are at least 1, not {count} and {maximum}")
    basis = Basis(operator.size, operator.device, seeded(generator))
    vector = basis.fresh()
    steps = min(maximum, operator.size)
    matrix = torch.zeros(steps, steps, dtype=torch.float64)
    scale, length = 0.0, 0.0
    for step in range(steps):
        basis.append(vector)
        image = operator.times(vector)
        size = float(torch.linalg.vector_norm(image))
        if not isfinite(size):
            raise NotFinite("a product with the curvature holds inf or nan")
        scale = max(scale, size)
        matrix[step, step] = float(vector @ image)
        if step:
            matrix[step - 1, step] = matrix[step, step - 1] = length
        vector, length = basis.next(image, scale)
        values, vectors = torch.linalg.eigh(matrix[: step + 1, : step + 1])
        best = values.flip(0)[:count].tolist()
        bounds = (length * vectors[-1].abs()).flip(0)[:count].tolist()
        converged = all(bound <= tolerance * abs(value) for value, bound in zip(best, bounds, strict=True))
        if converged and step + 1 >= min(count, operator.size):
            break
    return Eigenvalues(tuple(best), tuple(bounds), converged, step + 1)
