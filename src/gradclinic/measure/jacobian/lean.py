"""The largest eigenvalue of a symmetric operator in the memory of three vectors."""

from __future__ import annotations

from math import isfinite

import torch

from .basis import ROUNDING
from .exceptions import NotFinite
from .lanczos import TOLERANCE, Eigenvalues
from .operators import Symmetric, drawn, seeded


def largest_lean(
    operator: Symmetric, *, maximum: int, tolerance: float = TOLERANCE, generator: torch.Generator | None = None
) -> Eigenvalues:
    """The algebraically largest eigenvalue by Lanczos' three-term recurrence, in at most ``maximum`` products.

    Nothing is made orthogonal again: what is lost by that are directions that have converged (Paige 1971), after far
    more products than a size without room for its basis can afford.  Otherwise as
    :func:`~.lanczos.largest_eigenvalues`.

    Raises NotFinite, ValueError where maximum is below 1.
    """
    if maximum < 1:
        raise ValueError(f"maximum is at least 1, not {maximum}")
    vector = drawn(operator.size, seeded(generator), operator.device, operator.dtype)
    vector /= float(torch.linalg.vector_norm(vector))
    before = torch.zeros_like(vector)
    matrix = torch.zeros(maximum, maximum, dtype=torch.float64)
    length, scale = 0.0, 0.0
    for step in range(min(maximum, operator.size)):
        image = operator.times(vector)
        size = float(torch.linalg.vector_norm(image))
        if not isfinite(size):
            raise NotFinite("a product with the curvature holds inf or nan")
        scale = max(scale, size)
        matrix[step, step] = float(vector @ image)
        image.sub_(vector, alpha=float(matrix[step, step])).sub_(before, alpha=length)
        length = float(torch.linalg.vector_norm(image))
        values, vectors = torch.linalg.eigh(matrix[: step + 1, : step + 1])
        best, bound = float(values[-1]), length * float(vectors[-1, -1].abs())
        converged = bound <= tolerance * abs(best)
        if converged or length <= max(ROUNDING, float(torch.finfo(operator.dtype).eps)) * scale or step + 1 == maximum:
            break
        matrix[step, step + 1] = matrix[step + 1, step] = length
        before, vector = vector, image.div_(length)
    return Eigenvalues((best,), (bound,), converged, step + 1)
