"""Gaussian means of an activation and its slope."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, sqrt
from typing import Final

import numpy as np

from .activation import Activation, Array
from .quadrature import normal_mean

#: What stands for the limits q → 0 and q → ∞: x² neither underflows nor overflows there, nor does GELU's cubic.
_SMALLEST: Final = 1e-200
_LARGEST: Final = 1e200


@dataclass(frozen=True, slots=True)
class Moments:
    """Means over u ~ N(0, q); each a float, infinite where it overflows."""

    square: float  #: E[φ(u)²]
    slope_square: float  #: E[φ'(u)²], μ₁ of Pennington et al. 2017
    slope_fourth: float  #: E[φ'(u)⁴], their μ₂
    square_growth: float  #: dE[φ²]/dq = E[u φ φ']/q, which is E[φ'² + φ φ''] also where φ'' does not exist


def moments(activation: Activation, q: float) -> Moments:
    """The means at one variance ``q`` ≥ 0; 0 and infinity give the limits.

    Raises:
        ValueError: ``q`` is negative or not a number.
    """
    check(q=q)
    means = moment_rows(activation, np.array([min(max(q, _SMALLEST), _LARGEST)]))[:, 0]
    if q < _SMALLEST:
        means[0] = float(activation.phi(np.zeros(1))[0]) ** 2
    if q > _LARGEST:  # what still grows there has no limit
        means[means > sqrt(_LARGEST)] = inf
    return Moments(*(float(mean) for mean in means))


def moment_rows(activation: Activation, q: Array) -> Array:
    """The fields of :class:`Moments` in order, (4, R), for R positive variances at once."""

    def integrand(x: Array, _: Array) -> Array:
        phi, slope = activation.phi(x), activation.derivative(x)
        square = slope**2
        return np.stack([phi**2, square, square**2, x * phi * slope])

    means = normal_mean(integrand, np.zeros_like(q), np.sqrt(q), activation.breakpoints)
    means[3] /= q
    return means


def check(**values: float) -> None:
    """Raises ValueError for a negative value or one that is not a number."""
    for name, value in values.items():
        if not value >= 0:
            raise ValueError(f"{name} must be 0 or more, but is {value}")
