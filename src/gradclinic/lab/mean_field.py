"""The two recursions of Schoenholz (2017) for wide tanh networks, by Gauss-Hermite quadrature."""

from __future__ import annotations

import functools
from collections.abc import Callable
from math import inf, log, sqrt

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: Nodes for E[f(z)], z normal: 41 give tanh four digits at the variances that occur.
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(41)
WEIGHTS = WEIGHTS / WEIGHTS.sum()
#: Both recursions contract but near criticality; two thousand steps do at 1% from it.
STEPS = 2000
#: Change of a step at which a recursion is there: at ξ layers per e-fold, what is left is ξ times as much.
SETTLED = 1e-10


def length(weight: float, bias: float) -> float:
    """q*: the variance of the preactivations that a deep network settles at; ``weight``, ``bias`` are σ_w², σ_b²."""
    return _settled(lambda q: weight * float(WEIGHTS @ np.tanh(sqrt(q) * NODES) ** 2) + bias, 1.0)


def gradient_factor(weight: float, bias: float) -> float:
    """χ₁ = σ_w² E[φ'(√q* z)²]: what a layer makes of the gradient's square."""
    return weight * float(WEIGHTS @ _slope(sqrt(length(weight, bias)) * NODES) ** 2)


@functools.cache
def correlation_depth(weight: float, bias: float) -> float:
    """ξ_c = -1/ln χ_c*: the depth over which two inputs come to their final correlation; inf at criticality."""
    q = length(weight, bias)
    c = _settled(lambda c: min(1.0, (weight * _pair(np.tanh, q, c) + bias) / q), 0.5)
    rate = weight * _pair(_slope, q, c)
    return -1 / log(rate) if 0 < rate < 1 else inf


def _settled(step: Callable[[float], float], value: float) -> float:
    for _ in range(STEPS):
        before, value = value, step(value)
        if abs(value - before) < SETTLED:
            break
    return value


def _pair(f: Callable[[Array], Array], q: float, c: float) -> float:
    """E[f(u) f(v)] for u, v normal with variance q and correlation c."""
    first = f(sqrt(q) * NODES)
    mixed = sqrt(q) * (c * NODES[:, None] + sqrt(max(0.0, 1 - c * c)) * NODES[None, :])
    return float((WEIGHTS * first) @ (f(mixed) @ WEIGHTS))


def _slope(x: Array) -> Array:
    return 1 / np.cosh(x) ** 2
