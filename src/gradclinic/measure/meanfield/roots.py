"""Zeros of a function of one number between two places where its sign differs."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import Final

#: Evaluations at most.  Each three at least halve the bracket, and float64 has 53 halvings.
_MOST: Final = 160
_GOLDEN: Final = (sqrt(5) - 1) / 2


def root(
    f: Callable[[float], float],
    low: float,
    high: float,
    tolerance: float = 1e-13,
    ends: tuple[float, float] | None = None,
) -> float:
    """Where ``f`` is 0, to within ``tolerance`` (absolute), by Chandrupatla's method (1997).

    It interpolates where that is safe and bisects where it is not.  ``ends`` are the values at both ends, if known:
    where they are near rounding, computing them once more might change their signs.

    Raises:
        ValueError: the signs at both ends are the same.
    """
    a, b, (f_a, f_b) = low, high, ends or (f(low), f(high))
    if f_a == 0 or f_b == 0:
        return a if f_a == 0 else b
    if (f_a > 0) == (f_b > 0):
        raise ValueError(f"no change of sign between {low} and {high}")
    c, f_c, t = a, f_a, 0.5
    for _ in range(_MOST):
        x = a + t * (b - a)
        f_x = f(x)
        if (f_x > 0) == (f_a > 0):
            c, f_c = a, f_a
        else:
            c, b, f_c, f_b = b, a, f_b, f_a
        a, f_a = x, f_x
        best = a if abs(f_a) < abs(f_b) else b
        least = tolerance / abs(b - a) if b != a else 1.0
        if f_x == 0 or least >= 0.5:
            return best
        ratio, share = (a - b) / (c - b), (f_a - f_b) / (f_c - f_b)
        t = 0.5
        if share**2 < ratio and (1 - share) ** 2 < 1 - ratio:  # the inverse quadratic is monotonic in the bracket
            t = f_a / (f_b - f_a) * f_c / (f_b - f_c) + (c - a) / (b - a) * f_a / (f_c - f_a) * f_b / (f_c - f_b)
        t = min(1 - least, max(least, t))
    return best


def lowest(f: Callable[[float], float], low: float, high: float, tolerance: float = 1e-7) -> float:
    """Where ``f``, with one minimum between, is lowest, by golden section.

    ``tolerance`` is absolute; below the square root of float64's precision a minimum is flat.
    """
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    f_left, f_right = f(left), f(right)
    while high - low > tolerance:
        if f_left < f_right:
            high, right, f_right = right, left, f_left
            left = high - _GOLDEN * (high - low)
            f_left = f(left)
        else:
            low, left, f_left = left, right, f_right
            right = low + _GOLDEN * (high - low)
            f_right = f(right)
    return (low + high) / 2
