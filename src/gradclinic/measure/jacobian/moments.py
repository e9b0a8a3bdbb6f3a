"""Mean and variance of the squared singular values, from random probes."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, nan, sqrt

import torch
from torch import Tensor

from .basis import Basis
from .operators import Operator
from .spectrum import finite


@dataclass(frozen=True, slots=True)
class Moments:
    """``total`` is Σσ², ``mean`` and ``variance`` are of σ²; each with its standard error."""

    total: float
    total_error: float
    mean: float
    mean_error: float
    variance: float
    variance_error: float
    products: int


def moments(operator: Operator, matrix: Tensor, rest: float, right: Basis, probes: int) -> Moments:
    """The moments of σ² over the ``columns`` singular values of an operator with columns ≤ rows.

    Σσ² = tr AᵀA and Σσ⁴ = tr (AᵀA)² are split: over the span of the bidiagonalisation's V they are known without a
    further product, over the rest they are n-k times the mean of ‖A z‖² and ‖AᵀA z‖² for random unit z there
    (Hutchinson's estimator behind a deflation, as in Hutch++, Meyer et al. 2021).  Both are without bias; the square
    of the mean is freed of its own variance.  Stochastic Lanczos quadrature gives the same here, since one step of
    it integrates these two moments exactly.
    """
    n = operator.columns
    square = matrix.T @ matrix
    known = float(matrix.square().sum())
    # AᵀA V = V BᵀB + rest · v_{k+1} e_kᵀ B, and e_kᵀ B is B's last diagonal element.
    known_fourth = float(square.square().sum()) + (rest * float(matrix[-1, -1])) ** 2
    if right.full:
        return _of(n, known, known_fourth, None, 0)
    if not probes:
        return Moments(nan, nan, nan, nan, nan, nan, 0)
    left_over = n - len(matrix)
    rows = []
    for _ in range(probes):
        image = operator.times(right.fresh())
        back = operator.adjoint(image)
        rows.append([float(left_over * image.square().sum()), float(left_over * back.square().sum())])
    seen = torch.tensor(rows, dtype=torch.float64)
    second, fourth = seen.mean(0).tolist()
    finite(fourth)
    return _of(n, known + second, known_fourth + fourth, seen, 2 * probes)


def _of(n: int, total: float, fourth: float, seen: Tensor | None, products: int) -> Moments:
    mean = total / n
    if seen is None:
        return Moments(total, 0.0, mean, 0.0, max(0.0, fourth / n - mean**2), 0.0, products)
    count = len(seen)
    if count == 1:
        return Moments(total, inf, mean, inf, max(0.0, fourth / n - mean**2), inf, products)
    error = float(seen[:, 0].std()) / sqrt(count)
    # How far one probe moves fourth/n - mean², to first order.
    influence = (seen[:, 1] - 2 * mean * seen[:, 0]) / n
    variance = fourth / n - mean**2 + (error / n) ** 2
    return Moments(total, error, mean, error / n, max(0.0, variance), float(influence.std()) / sqrt(count), products)
