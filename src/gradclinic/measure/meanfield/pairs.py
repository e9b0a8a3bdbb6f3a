"""Gaussian means of an activation at two preactivations that are correlated."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, sqrt
from typing import Final

import numpy as np

from .activation import Activation, Array
from .moments import check, moments
from .quadrature import REACHES, TOLERANCE, density, normal_mean

#: Relative error of φ, with a margin for how it is computed.
_ROUNDING: Final = 1e-15
#: Bisection of the outer integral of two; each of its nodes costs an inner one.
_MOST_OUTER_PANELS: Final = 1 << 9


@dataclass(frozen=True, slots=True)
class PairMoments:
    """Means over u₁, u₂ ~ N(0, q) of correlation c."""

    product: float  #: E[φ(u₁) φ(u₂)]
    slope_product: float  #: E[φ'(u₁) φ'(u₂)]
    half_square_difference: float  #: E[(φ(u₁) - φ(u₂))²]/2, without the loss of digits of a difference at c → 1


def pair_moments(activation: Activation, q: float, c: float) -> PairMoments:
    """The means at variance ``q`` > 0, finite, and correlation ``c`` from -1 to 1.

    Raises:
        ValueError: ``q`` or ``c`` is out of range.
    """
    check(q=q)
    if not (q > 0 and isfinite(q)):
        raise ValueError(f"q must be positive and finite, not {q}")
    if not -1 <= c <= 1:
        raise ValueError(f"a correlation is between -1 and 1, not {c}")
    if c >= 0:
        return pair_moments_at(activation, q, 1 - c)
    square = moments(activation, q).square
    product, slope_product, _ = _pair(activation, q * (1 + c), q * -c, -1.0)
    return PairMoments(product, slope_product, square - product)


def pair_moments_at(activation: Activation, q: float, distance: float) -> PairMoments:
    """The same for ``distance`` = 1 - c from 0 to 1, which is finer than c near 1."""
    return PairMoments(*_pair(activation, q * distance, q * (1 - distance), 1.0))


def _pair(activation: Activation, own: float, shared: float, sign: float) -> tuple[float, float, float]:
    """u₁ = s + t₁ and u₂ = ±s + t₂ with s of variance ``shared`` and t of variance ``own``.

    Given s the two are independent, so the mean over both is the mean over s of a product, and half the squared
    difference is a variance.  This needs φ at one inner grid instead of a plane with kinks across it.
    """
    # φ(u) - φ(s) has lost digits where it is small.  What is left of them need not be integrated exactly.
    inner = max(TOLERANCE, _ROUNDING * sqrt((own + shared) / own)) if own > 0 else TOLERANCE
    reach = _reach(activation, own + shared)

    def given(s: Array) -> tuple[Array, Array, Array]:
        """E[φ], E[φ'] and Var[φ] over t, of the shape of ``s``."""
        phi = activation.phi(s)
        if own == 0:
            return phi, activation.derivative(s), np.zeros_like(s)
        centre = np.ravel(s)
        means = normal_mean(
            step,
            centre,
            np.full_like(centre, sqrt(own)),
            activation.breakpoints,
            tolerance=inner,
            reach=reach,
            jointly=True,
        )
        # Measured from φ(s), so that no digits are lost where t is small.
        shift, square, slope = (mean.reshape(s.shape) for mean in means)
        return phi + shift, slope, np.maximum(square - shift**2, 0.0)

    def step(x: Array, centre: Array) -> Array:
        difference = activation.phi(x) - activation.phi(centre)
        return np.stack([difference, difference**2, activation.derivative(x)])

    def outer(s: Array, _: Array) -> Array:
        phi, slope, variance = given(s)
        if sign > 0:
            return np.stack([phi**2, slope**2, variance])
        other, other_slope, _ = given(-s)
        return np.stack([phi * other, slope * other_slope, variance])

    if shared == 0:
        means = outer(np.zeros(1), np.zeros(1))
    else:
        # The inner mean rounds the kinks off, over its own standard deviation.
        finest = min(1.0, sqrt(own)) if activation.breakpoints and own > 0 else 1.0
        spread = np.array([sqrt(shared)])
        means = normal_mean(
            outer, np.zeros(1), spread, activation.breakpoints, finest, 10 * inner, _MOST_OUTER_PANELS, reach
        )
    product, slope_product, variance = (float(one[0]) for one in means)
    return product, slope_product, variance


def _reach(activation: Activation, q: float) -> float:
    """How many standard deviations hold the mass of φ²."""
    ends = sqrt(q) * REACHES[0] * np.array([-1.0, 1.0])
    with np.errstate(over="ignore"):
        last = float(np.max(activation.phi(ends) ** 2) * density(np.array(REACHES[0])))
    return REACHES[last > TOLERANCE * moments(activation, q).square]
