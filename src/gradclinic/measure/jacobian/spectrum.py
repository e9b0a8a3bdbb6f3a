"""What is known of the singular values of a linear operator."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite, sqrt

import torch
from torch import Tensor

from .exceptions import NotFinite
from .operators import Operator


@dataclass(frozen=True, slots=True)
class Extreme:
    """An estimate of the largest or the smallest singular value.

    Some singular value lies within ``bound`` of ``value``.  The largest one's is never above, the smallest one's
    never below, the true one (to the products' rounding).  ``converged``: the bound is at most the tolerance times
    the value.
    """

    value: float
    bound: float
    converged: bool


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """The singular values σ of a rows x columns operator; there are min(rows, columns).

    ``mean`` and ``variance`` are those of σ² over all of them, ``frobenius`` is the root of the sum of σ²; each
    with its standard error, 0 where it is exact, inf where one probe gives none.  ``products`` counts products with
    the operator and its adjoint.  ``values``: all of them, float64, descending, on the CPU, where ``exact``.
    """

    rows: int
    columns: int
    largest: Extreme
    smallest: Extreme
    frobenius: float
    frobenius_error: float
    mean: float
    mean_error: float
    variance: float
    variance_error: float
    products: int
    exact: bool
    values: Tensor | None = None

    @property
    def condition(self) -> float:
        """Largest over smallest; inf where the smallest is 0."""
        return self.largest.value / self.smallest.value if self.smallest.value else inf


def exact_spectrum(operator: Operator, *, by_rows: bool | None = None) -> Spectrum:
    """The spectrum by a dense singular value decomposition in float64.

    The matrix is stacked from min(rows, columns) products, or as ``by_rows`` says: from the adjoint (True) or from
    the product itself.  Takes 8 bytes x rows x columns.  Raises NotFinite.
    """
    by_rows = operator.rows <= operator.columns if by_rows is None else by_rows
    matrix = dense(operator, by_rows=by_rows)
    if not bool(matrix.isfinite().all()):
        raise NotFinite("the Jacobian holds inf or nan")
    values = torch.linalg.svdvals(matrix).cpu()
    squares = values.square()
    largest, smallest = float(values[0]), float(values[-1])
    return Spectrum(
        operator.rows,
        operator.columns,
        Extreme(largest, 0.0, True),
        Extreme(smallest, 0.0, True),
        sqrt(float(squares.sum())),
        0.0,
        float(squares.mean()),
        0.0,
        float(squares.var(correction=0)),
        0.0,
        operator.rows if by_rows else operator.columns,
        True,
        values,
    )


def dense(operator: Operator, *, by_rows: bool) -> Tensor:
    """The matrix, (rows, columns), float64, one product per row (of the adjoint) or per column."""
    count = operator.rows if by_rows else operator.columns
    unit = torch.zeros(count, dtype=torch.float64, device=operator.device)
    lines = []
    for place in range(count):
        unit[place] = 1.0
        lines.append(operator.adjoint(unit) if by_rows else operator.times(unit))
        unit[place] = 0.0
    return torch.stack(lines, dim=0 if by_rows else 1)


def small_spectrum(operator: Operator, limit: int) -> Spectrum | None:
    """:func:`exact_spectrum` where min(rows, columns) is at most ``limit``, else None.

    By rows wherever these are few enough: a backward pass along a kept graph is cheaper than a forward-mode one,
    and always there.  Raises NotFinite, NoForwardMode where only columns are few.
    """
    if operator.rows <= limit:
        return exact_spectrum(operator, by_rows=True)
    return exact_spectrum(operator, by_rows=False) if operator.columns <= limit else None


def finite(value: float) -> float:
    """``value``; raises NotFinite where a product gave inf or nan."""
    if not isfinite(value):
        raise NotFinite("a product with the Jacobian holds inf or nan")
    return value
