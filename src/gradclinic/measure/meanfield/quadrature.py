"""Means over a normal distribution, by adaptive Gauss-Kronrod quadrature.

Gauss-Hermite would be shorter, but converges slowly at a kink, and at large q also for a smooth sigmoid, which is
then a step for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import pi, sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .activation import Array

Index = NDArray[np.intp]
#: f(x, centre) -> (k, ...): k integrands at ``x`` of shape (panels, nodes); ``centre`` (panels, 1) is the mean of the
#: normal distribution that each panel belongs to.
Integrand = Callable[[Array, Array], Array]

#: The positive nodes that Kronrod adds to the 10-point Gauss rule; QUADPACK, routine qk21 (Piessens et al. 1983).
_ADDED: Final = (0.995657163025808, 0.930157491355708, 0.780817726586417, 0.562757134668605, 0.294392862701460)
#: Standard deviations integrated over: beyond 12 the density is below 3e-32.  Functions that grow like an exponential
#: have their mass further out; at 37 the density ends at the smallest float64.
REACHES: Final = (12.0, 37.0)
#: Two rules that agree to this, relative to the integral of |f|, end the bisection: the error of the better one is
#: then far below it for a smooth integrand, and not above it for any.
TOLERANCE: Final = 1e-11
#: Bisections of a panel of 3 standard deviations at most: enough to corner a jump to 3e-12 of them.
_BISECTIONS: Final = 40
#: Panels beyond which nothing is bisected any more.  Only noise and thousands of oscillations ask for so many; either
#: averages out over them.
_MOST_PANELS: Final = 1 << 14


def _rule() -> tuple[Array, Array, Array]:
    """Nodes (21,) on [-1, 1], Kronrod's weights (21,), and Gauss's (10,) for the odd places."""
    gauss, gauss_weights = np.polynomial.legendre.leggauss(10)
    nodes = np.sort(np.concatenate([gauss, _ADDED, np.negative(_ADDED), [0.0]]))
    # The rule is exact for Legendre polynomials up to degree 20, of which all but the first integrate to 0.
    weights = np.linalg.solve(np.polynomial.legendre.legvander(nodes, 20).T, np.eye(21)[0] * 2)
    return nodes, weights, gauss_weights


_NODES, _KRONROD, _GAUSS = _rule()


def normal_mean(
    f: Integrand,
    mean: Array,
    sd: Array,
    marks: Sequence[float] = (),
    finest: float = 1.0,
    tolerance: float = TOLERANCE,
    most_panels: int = _MOST_PANELS,
    reach: float | None = None,
    jointly: bool = False,
) -> Array:
    """E[f(mean + sd·z)], z standard normal, for R distributions at once; float64 (k, R).

    Args:
        f: see :data:`Integrand`.
        mean: (R,).
        sd: (R,), positive.
        marks: where on the x axis ``f`` has a kink or changes fast; the origin always counts.
        finest: how far from a mark ``f`` begins to be smooth, in units of x.
        tolerance: of one panel, relative to the mean of |f|.
        most_panels: when to stop bisecting.
        reach: one of :data:`REACHES`; where none is given, the least that holds the mass of |f|.
        jointly: all means enter one sum, so their errors may be relative to the largest of them.

    Returns:
        The means, infinite where they overflow or do not exist.  Relative to the mean of |f| the error is a few times
        ``tolerance`` at most, and near rounding for what is smooth between the marks.

    Raises:
        ValueError: ``f`` is not a number somewhere.
    """
    with np.errstate(all="ignore"):  # an overflow is an answer, and checked for
        for wide in (reach,) if reach else REACHES:
            panels = _panels(mean, sd, marks, finest, wide)
            result, size = _integrate(f, mean, sd, *panels, tolerance, most_panels, jointly)
            if reach:
                return result
            ends = mean[:, None] + sd[:, None] * np.array([-wide, wide])
            last = np.abs(f(ends, mean[:, None])).max(axis=-1) * density(np.array(wide))
            ended = (last <= tolerance * size) | np.isinf(size)
            if ended.all():
                break
    return np.where(ended, result, np.inf)


def density(z: Array) -> Array:
    """Of the standard normal distribution."""
    return np.asarray(np.exp(-(z**2) / 2) / sqrt(2 * pi))


def _panels(mean: Array, sd: Array, marks: Sequence[float], finest: float, reach: float) -> tuple[Index, Array, Array]:
    """Row, lower and upper end in standard deviations of the first panels."""
    widest = 2 * reach * float(sd.max())
    # Each panel is as wide as it is far from the mark, which suits poles beside it, as tanh's at iπ/2.
    count = max(0, int(np.ceil(np.log2(widest / finest))) if widest > finest else 0)
    distance = finest * 2.0 ** np.arange(count)
    offsets = np.concatenate([-distance[::-1], [0.0], distance])
    points = np.unique(np.add.outer(np.array(sorted({0.0, *marks})), offsets))
    marked = np.clip((points - mean[:, None]) / sd[:, None], -reach, reach)
    even = np.linspace(-reach, reach, round(2 * reach / 3) + 1)  # 21 nodes resolve the density over three of its sd
    edges = np.sort(np.concatenate([marked, np.broadcast_to(even, (len(mean), len(even)))], axis=1), axis=1)
    row, place = np.nonzero(np.diff(edges, axis=1) > 0)
    return row, edges[row, place], edges[row, place + 1]


def _integrate(
    f: Integrand,
    mean: Array,
    sd: Array,
    row: Index,
    low: Array,
    high: Array,
    tolerance: float,
    most_panels: int,
    jointly: bool,
) -> tuple[Array, Array]:
    """Integrals (k, R) of f times the density over the panels, and of |f| times the density."""
    total = size = np.zeros((0, len(mean)))
    panels = len(row)
    for bisection in range(_BISECTIONS + 1):
        centre, half = (low + high) / 2, (high - low) / 2
        z = centre[:, None] + half[:, None] * _NODES
        own = mean[row, None]
        x = own + sd[row, None] * z
        values = f(x, own) * density(z)
        if np.isnan(values).any():
            bad = np.broadcast_to(x, values.shape)[np.isnan(values)]
            raise ValueError(f"the activation or its slope is not a number between {bad.min():.4g} and {bad.max():.4g}")
        fine = values @ _KRONROD * half
        if bisection == 0:
            total = np.zeros((len(values), len(mean)))
            size = _by_row(np.abs(values) @ _KRONROD * half, row, len(mean))
            if jointly:
                size = np.broadcast_to(size.max(axis=1, keepdims=True), size.shape)
        again = (np.abs(fine - values[..., 1::2] @ _GAUSS * half) > tolerance * size[:, row]).any(axis=0)
        panels += 2 * int(again.sum())
        again &= bisection < _BISECTIONS and panels <= most_panels
        total += _by_row(np.where(again, 0.0, fine), row, len(mean))
        if not again.any():
            break
        low, centre, high = low[again], centre[again], high[again]
        row, low, high = np.tile(row[again], 2), np.concatenate([low, centre]), np.concatenate([centre, high])
    return total, size


def _by_row(values: Array, row: Index, rows: int) -> Array:
    return np.stack([np.bincount(row, one, rows) for one in values])
