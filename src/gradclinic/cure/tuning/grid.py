"""Which learning rates are tried."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from gradclinic.measure.range_test import Suggestions

from ..screening import Screened
from .range_test import Curve

#: The range test looks so far above the limit of stability, which holds for the initial weights only: it ends by itself
#: where the loss runs away, and networks that start above survive (Lewkowycz et al. 2020, arXiv:2003.02218).
ABOVE = 1e3
#: A lower end is believed where it leaves a decade to search.
ROOM = 10.0
#: Where an end is not known: so far from the user's own rate.
UNKNOWN = 1e4
#: A range test over more decades than this has too few steps in each.
MOST_DECADES = 8.0
#: Decades that a grid spans at most below its upper end: rates below them lose to it in any budget that reaches it.
SPAN = 3.0
#: A hair more or less is the same rate.
SAME = 1.05


@dataclass(frozen=True, slots=True)
class Span:
    """From one learning rate to another."""

    low: float
    high: float


def around(window: Screened, own: float) -> Span:
    """What the range test covers: the window, and what lies above it."""
    middle = own if own > 0 else 1e-3  # where the user has none: Adam's default
    high = window.stable * ABOVE if window.stable > 0 and isfinite(window.stable) else middle * UNKNOWN
    low = window.low if window.low > 0 and isfinite(window.low) else middle / UNKNOWN
    low = min(low, high / UNKNOWN)
    return Span(max(low, high / 10**MOST_DECADES), high)


def inside(curve: Curve, window: Screened, found: Suggestions) -> Span:
    """What the grid covers: up to the range test's minimum or to where it diverged, from the window's lower end."""
    high = min(10 * found.minimum, curve.highest) if found.minimum else curve.highest
    high = high or curve.rates[0]
    least = high / 10**SPAN
    low = window.low if isfinite(window.low) and least < window.low < high / ROOM else least
    return Span(low, high)


def rates_of(span: Span, count: int, own: float) -> list[float]:
    """``count`` rates in equal ratios, to three digits, and the user's own where it lies among them."""
    ratio = (span.high / span.low) ** (1 / max(count - 1, 1))
    rates = [float(f"{span.low * ratio**place:.3g}") for place in range(count)]
    if span.low < own < span.high and not any(max(own / rate, rate / own) < SAME for rate in rates):
        rates.append(own)
    return sorted(set(rates))
