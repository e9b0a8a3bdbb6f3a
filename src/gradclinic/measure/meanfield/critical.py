"""Where gradients neither vanish nor explode: the critical line (Schoenholz 2017) and its end (Hayou et al. 2019).

At a fixed point with χ = 1 both variances are functions of the length: σ_w² = 1/E[φ'²] and σ_b² = q - σ_w² E[φ²].
So the critical line is drawn by q, and nothing has to be iterated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, log, sqrt
from typing import Final

import numpy as np

from .activation import Activation, Array
from .moments import check, moment_rows, moments
from .roots import root

#: Natural logarithms of the lengths that are searched, in steps of a tenth, a few at once.  Below, σ_b² is lost in
#: the rounding of q - σ_w² E[φ²]; above, σ_w² is within 1e-4 of its limit, or a bounded φ is a step.
_GRID: Final[Array] = np.linspace(log(1e-8), log(1e8), 361)
_AT_ONCE: Final = 40
#: Relative error of σ_b² by that rounding, in units of q.
_ROUNDING: Final = 1e-12
#: Slope of the length map above which its fixed point repels; published critical points have 8 digits.
_STABLE: Final = 1 + 1e-6
#: A small length, and what it may grow by, relative: GELU and its like grow by about q, and rounding is 1e-15.
_SMALL: Final = 1e-6
_KEPT: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Critical:
    """A point of the critical line, or why there is none."""

    sigma_w: float | None  #: None where there is none
    sigma_b: float | None
    q: float | None  #: the fixed point; 0.0 the limit q → 0; None where every length will do, or none
    reason: str = ""  #: why there is none


def critical_sigma_w(activation: Activation, sigma_b: float = 0.0) -> Critical:
    """σ_w at which χ = 1 at a stable length, for biases of standard deviation ``sigma_b``; that of the smallest q.

    Closed forms: ReLU with negative slope a, σ_w² = 2/(1 + a²) whatever q; for σ_b → 0 tanh 1, erf π/4.

    Raises:
        ValueError: ``sigma_b`` is negative.
    """
    check(sigma_b=sigma_b)
    homogeneous = _homogeneous(activation)
    if homogeneous is not None:
        return Critical(homogeneous, sigma_b, None)
    if sigma_b == 0 and (limit := _limit(activation)) is not None:
        return Critical(limit, 0.0, 0.0)
    unstable: float | None = None
    seen: list[Array] = []
    for path in _pieces():
        seen.append(_bias_variance(activation, path) - sigma_b**2)
        for i in _changes(seen[-1]):
            q = exp(_between(lambda u: _bias_variance(activation, u) - sigma_b**2, path, seen[-1], i))
            found = moments(activation, q)
            if found.square_growth <= _STABLE * found.slope_square:
                return Critical(1 / sqrt(found.slope_square), sigma_b, q)
            unstable = q
    missing = np.concatenate(seen)
    missing = missing[np.isfinite(missing)]
    if unstable is not None:
        return _none(f"χ = 1 only at q = {unstable:.4g}, from which the length runs away")
    if missing.size == 0:
        return _none("the slope is 0 at every length")
    if missing[0] > 0 and missing.argmin() == 0:  # at a length below the grid's
        limit = _limit(activation)
        return Critical(limit, sigma_b, 0.0) if limit else _none("χ = 1 only at q → 0, from where the length runs away")
    least, most = missing.min() + sigma_b**2, missing.max() + sigma_b**2
    if most < 0:
        return _none(f"where χ = 1 the length grows without a bias already: σ_b² would have to be below {most:.4g}")
    return _none(f"χ = 1 needs a bias of variance {least:.4g} to {most:.4g}")


def _none(reason: str) -> Critical:
    return Critical(None, None, None, reason)


def edge_of_chaos(activation: Activation) -> Critical:
    """The point at which both the gradient and the length are marginal: χ = 1 and the length map's slope is 1.

    There neither dies exponentially with depth.  With the line's stability it means E[φ φ''] = 0 (Roberts, Yaida and
    Hanin 2022, chapter 5).  ReLU-like: σ_b = 0 and any q.  tanh-like: the limit q → 0, σ_b = 0.  GELU, SiLU: one point
    with a bias, below which χ = 1 has no stable length.
    """
    homogeneous = _homogeneous(activation)
    if homogeneous is not None:
        return Critical(homogeneous, 0.0, None)

    def excess(u: Array) -> Array:
        rows = moment_rows(activation, np.exp(u))
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(rows[3] / rows[1] - 1)

    for path in _pieces():
        values = excess(path)
        for i in _changes(np.where(np.abs(values) > _ROUNDING, values, np.nan)):
            q = exp(_between(excess, path, values, i))
            bias_variance = float(_bias_variance(activation, np.log([q]))[0])
            if bias_variance >= 0:
                return Critical(1 / sqrt(moments(activation, q).slope_square), sqrt(bias_variance), q)
    if (limit := _limit(activation)) is not None:
        return Critical(limit, 0.0, 0.0)
    return _none("where χ = 1 the length map's slope is not 1 for any length and bias")


def _bias_variance(activation: Activation, log_q: Array) -> Array:
    """σ_b² of the critical line at each length; 0 where it is lost in rounding."""
    q = np.exp(log_q)
    square, slope_square = moment_rows(activation, q)[:2]
    with np.errstate(invalid="ignore", divide="ignore"):  # φ' may be 0, and φ overflow
        variance = q - square / slope_square
    return np.where(np.abs(variance) < _ROUNDING * q, 0.0, variance)


def _between(f: Callable[[Array], Array], path: Array, values: Array, i: int) -> float:
    """The zero of ``f`` after place ``i`` of the path."""
    ends = float(values[i]), float(values[i + 1])
    return root(lambda u: float(f(np.array([u]))[0]), float(path[i]), float(path[i + 1]), ends=ends)


def _pieces() -> list[Array]:
    """The grid in pieces that overlap by one: most searches end in the first ones."""
    return [_GRID[i : i + _AT_ONCE + 1] for i in range(0, len(_GRID) - 1, _AT_ONCE)]


def _homogeneous(activation: Activation) -> float | None:
    """σ_w of a function whose σ_w and (no) bias are the same at every length: a scale does not matter to it."""
    ends = np.array([_GRID[0], 0.0, _GRID[-1]])
    slope_square = moment_rows(activation, np.exp(ends))[1]
    if np.ptp(slope_square) > _ROUNDING * slope_square[0]:
        return None
    if np.any(_bias_variance(activation, ends) != 0):
        return None
    return 1 / sqrt(float(slope_square[0]))


def _limit(activation: Activation) -> float | None:
    """σ_w as σ_b → 0 and q → 0: 1/√E[φ'(0)²], where that keeps or shrinks a small length."""
    slope_square = moments(activation, 0.0).slope_square
    if moments(activation, _SMALL).square > (1 + _KEPT) * _SMALL * slope_square or slope_square == 0:
        return None
    return 1 / sqrt(slope_square)


def _changes(values: Array) -> list[int]:
    """Places before a change of sign between two finite numbers."""
    finite = np.isfinite(values)
    return [int(i) for i in np.flatnonzero(np.diff(values < 0) & finite[:-1] & finite[1:])]
