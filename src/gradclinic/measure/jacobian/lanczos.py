"""The ends of a symmetric operator's spectrum by Lanczos' method."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite

import torch
from torch import Tensor

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
    for step, (matrix, length, _) in enumerate(_steps(operator, maximum, generator), 1):
        values, vectors = torch.linalg.eigh(matrix)
        best = values.flip(0)[:count].tolist()
        bounds = (length * vectors[-1].abs()).flip(0)[:count].tolist()
        converged = all(bound <= tolerance * abs(value) for value, bound in zip(best, bounds, strict=True))
        if converged and step >= min(count, operator.size):
            break
    return Eigenvalues(tuple(best), tuple(bounds), converged, step)


#: Products for the small end, which stands less apart than the large one: 20 find a negative eigenvalue of a hundredth
#: of the largest (Parlett 1980, ch. 12), and its direction need only go down.
SMALL_END = 20


def smallest_eigenpair(
    operator: Symmetric, *, maximum: int = SMALL_END, generator: torch.Generator | None = None
) -> tuple[float, float, Tensor]:
    """The smallest eigenvalue as far as ``maximum`` products tell it, the largest magnitude, and a unit vector (size,).

    The vector's Rayleigh quotient is the value, so that it is never below the smallest eigenvalue.  Raises NotFinite.
    """
    *_, (matrix, _, basis) = _steps(operator, maximum, generator)
    values, vectors = torch.linalg.eigh(matrix)
    direction = basis.combined(vectors[:, 0])
    return float(values[0]), float(values.abs().max()), direction / torch.linalg.vector_norm(direction)


def _steps(
    operator: Symmetric, maximum: int, generator: torch.Generator | None
) -> Iterator[tuple[Tensor, float, Basis]]:
    """After each product: the tridiagonal matrix so far, the length of what is left over, and the basis."""
    basis = Basis(operator.size, operator.device, seeded(generator))
    vector = basis.fresh()
    steps = min(maximum, operator.size)
    matrix = torch.zeros(steps, steps, dtype=torch.float64)
    scale = 0.0
    for step in range(steps):
        basis.append(vector)
        image = operator.times(vector)
        size = float(torch.linalg.vector_norm(image))
        if not isfinite(size):
            raise NotFinite("a product with the curvature holds inf or nan")
        scale = max(scale, size)
        matrix[step, step] = float(vector @ image)
        vector, length = basis.next(image, scale)
        yield matrix[: step + 1, : step + 1], length, basis
        if step + 1 < steps:
            matrix[step + 1, step] = matrix[step, step + 1] = length
