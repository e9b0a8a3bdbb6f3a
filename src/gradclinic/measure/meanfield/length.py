"""The length of a signal, layer by layer: q ← σ_w² E[φ(√q z)²] + σ_b², and where it ends (Poole et al. 2016)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, inf, isfinite, log
from typing import Final, Literal

import numpy as np

from .activation import Activation, Array
from .moments import check, moment_rows, moments
from .roots import lowest, root

#: "fixed": one length attracts; "neutral": every length near q0 stays as it is; "vanishes", "diverges": none does.
State = Literal["fixed", "neutral", "vanishes", "diverges"]

#: Natural logarithms where the search ends: a signal of 1e-10 or of a million is lost, whatever comes after.
_ENDS: Final = (log(1e-20), log(1e12))
#: Relative steps of the search, and how many are computed at once.  Two fixed points nearer than a step are found by
#: the minimum between them.
_STEP: Final = 0.05
_AT_ONCE: Final = 64
#: Change per layer, relative, that is rounding.
_ROUNDING: Final = 1e-12
#: Change per layer that counts as none where the map touches the diagonal: such points are published to 8 digits.
_TOUCHES: Final = 1e-8


@dataclass(frozen=True, slots=True)
class Length:
    """Where q ends: ``q`` is 0.0 where it vanishes and infinite where it diverges."""

    q: float
    state: State


def length_map(activation: Activation, sigma_w: float, sigma_b: float, q: float) -> float:
    """The next layer's q.

    Args:
        activation: of the layer that ``q`` is the preactivation's mean square of.
        sigma_w: √fan_in times the weights' standard deviation.
        sigma_b: the biases' standard deviation.
        q: not negative.

    Raises:
        ValueError: a negative argument.
    """
    check(sigma_w=sigma_w, sigma_b=sigma_b, q=q)
    return (sigma_w**2 * moments(activation, q).square if sigma_w > 0 else 0.0) + sigma_b**2


def chi(activation: Activation, sigma_w: float, q: float) -> float:
    """χ = σ_w² E[φ'(√q z)²]: what a layer multiplies the squared norm of the gradient with.

    ``q`` may be 0 or infinite, which give the limits.

    Raises:
        ValueError: a negative argument.
    """
    check(sigma_w=sigma_w, q=q)
    return sigma_w**2 * moments(activation, q).slope_square if sigma_w > 0 else 0.0


def q_star(activation: Activation, sigma_w: float, sigma_b: float, q0: float = 1.0) -> Length:
    """The fixed point that the length of very many layers tends to from ``q0``.

    The first fixed point is taken in the direction of the first step.  It attracts: E[φ²] cannot fall faster than
    q^(-1/2), whatever φ is (the density of √q z at any place does not), so the map's slope is above -1/2 there.

    Raises:
        ValueError: a negative argument, or ``q0`` that is not positive and finite.
    """
    check(sigma_w=sigma_w, sigma_b=sigma_b)
    if not 0 < q0 < inf:
        raise ValueError(f"q0 must be positive and finite, not {q0}")

    def gaps(log_q: Array) -> Array:
        """Relative change of the length in one layer."""
        q = np.exp(log_q)
        with np.errstate(over="ignore"):
            return np.asarray((sigma_w**2 * moment_rows(activation, q)[0] + sigma_b**2) / q - 1)

    if sigma_w == 0:
        return Length(sigma_b**2, "fixed" if sigma_b > 0 else "vanishes")
    start = log(q0)
    around = gaps(start + np.array([-0.5, 0.0, 0.5]))
    still = np.abs(around) < _ROUNDING
    if still[1]:
        return Length(q0, "neutral" if still.all() else "fixed")
    up = bool(around[1] > 0)
    place = _first_zero(gaps, start, 1.0 if up else -1.0)
    if place is not None:
        return Length(exp(place), "fixed")
    return Length(inf, "diverges") if up else Length(0.0, "vanishes")


def _first_zero(gaps: Callable[[Array], Array], start: float, sign: float) -> float | None:
    """The first zero from ``start`` in the direction ``sign``, which is that of ``gaps`` there; None up to the end."""

    def ahead(place: float) -> float:
        return sign * float(gaps(np.array([place]))[0])

    path, values = np.array([start]), np.array([ahead(start)])
    while sign * path[-1] < sign * _ENDS[sign > 0]:
        following = path[-1] + sign * _STEP * np.arange(1, _AT_ONCE + 1)
        # The last two again, for a dip at the seam.
        path, values = np.append(path[-2:], following), np.append(values[-2:], sign * gaps(following))
        crossed = np.flatnonzero(values < -_ROUNDING)
        stop = int(crossed[0]) if len(crossed) else len(values) - 1
        for i in range(1, stop):
            before, here, after = (float(value) for value in values[i - 1 : i + 2])
            # A parabola that touches is at the nearest place at least this much lower than at the next one.
            dips = isfinite(here) and min(before, after, max(before, after) / 4) >= here
            if dips and min(before, after) > _TOUCHES:
                bottom = lowest(ahead, *sorted((float(path[i - 1]), float(path[i + 1]))))
                least = ahead(bottom)
                if abs(least) <= _TOUCHES:
                    return bottom
                if least < 0:
                    return root(ahead, float(path[i - 1]), bottom, ends=(before, least))
        if len(crossed):
            before, here = float(values[stop - 1]), float(values[stop])
            near, far = float(path[stop - 1]), float(path[stop])
            return root(ahead, near, far, ends=(before, here)) if before > 0 else near
    return None
