"""Few numbers from which it is foretold whether a training arrives: each in words, and where it comes from.

All losses are in units of the best constant prediction's.  e is the share of it that the outputs explain once they are
moved and scaled as a whole, x is what the loss has beyond that (wrong scale, wrong mean).  K steps were taken, T are
planned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, expm1, isfinite, log, log10
from typing import Any

#: Two hundredths of the constant prediction's loss: what the batches at hand leave open of a loss (the share by which a
#: batch's label entropy is off after correction), so that nothing smaller is told apart on the logarithmic scale.
FLOOR = 0.02
#: e-folds beyond which nothing is extrapolated.
FOLDS = 20.0
#: Decades of e-folds between which the speed says anything: a ten-thousandth of one is never, a hundred is plenty.
LEAST, MOST = -4.0, 2.0
#: A loss a million times the constant prediction's is as good as none.
LOST = 1e6


@dataclass(frozen=True, slots=True)
class Signs:
    """What the probability is made of."""

    explained: float  #: ln of the share that the outputs will explain after T steps, at the fastest rate seen
    excess: float  #: ln of what the loss will have beyond that, at the rate at which it fell
    excess_now: float  #: ln of the same after the K steps
    #: Decades of lr·∫ρ dt over T steps: e-folds of the samples' error, the growth of ρ carried on.  None where ρ could
    #: not be measured.
    carried: float | None

    def vector(self, typical: Sequence[float]) -> tuple[float, ...]:
        """In the order of the fitted weights; ``typical`` stands in for what is not known."""
        own = (self.explained, self.excess, self.excess_now, self.carried)
        return tuple(usual if value is None else value for value, usual in zip(own, typical, strict=True))


@dataclass(frozen=True, slots=True)
class Point:
    """Share explained and excess after ``at`` steps on one set of batches."""

    at: int
    explained: float
    excess: float


def point(data: dict[str, Any]) -> Point | None:
    """From a ``baseline`` event; None where the constant prediction's loss is not known."""
    constant = data["constant"]
    if constant is None or not constant > 0:
        return None
    calibrated = constant if data["calibrated"] is None else min(data["calibrated"], constant)
    loss = LOST * constant if data["loss"] is None else min(data["loss"], LOST * constant)
    return Point(int(data["at"]), 1 - calibrated / constant, max(loss - calibrated, 0.0) / constant)


def signs(
    probes: Sequence[Sequence[Point]], speeds: Sequence[tuple[int, float]], lr: float, steps: int
) -> Signs | None:
    """``probes``: for each set of batches its points, in order; ``speeds``: (at, ρ times momentum's gain).

    None where a set of batches has fewer than two points.
    """
    if not probes or any(len(points) < 2 for points in probes):
        return None
    ends = [_projected(points, steps) for points in probes]
    explained, excess, now = (sum(column) / len(ends) for column in zip(*ends, strict=True))
    carried = _carried(speeds, lr, steps) if speeds else None
    return Signs(log(explained + FLOOR), log(excess + FLOOR), log(now + FLOOR), carried)


def _projected(points: Sequence[Point], steps: int) -> tuple[float, float, float]:
    """Share explained and excess after all steps, and the excess now."""
    first, last = points[0], points[-1]
    left = max(steps - last.at, 0)
    slopes = [(last.explained - other.explained) / (last.at - other.at) for other in points[:-1] if last.at > other.at]
    explained = min(last.explained + max(0.0, *slopes) * left, 1.0)
    fall = log((first.excess + FLOOR / 2) / (last.excess + FLOOR / 2))
    rate = max(fall / max(last.at - first.at, 1), 0.0)
    return explained, last.excess * exp(-min(rate * left, FOLDS)), last.excess


def _carried(speeds: Sequence[tuple[int, float]], lr: float, steps: int) -> float:
    """Decades of lr·∫ρ dt where ρ goes on to grow as it did; features that grow leave a plateau that way."""
    (first, slow), (last, fast) = speeds[0], speeds[-1]
    if not all(isfinite(rho) and rho >= 0 for rho in (slow, fast)):
        return MOST
    growth = log(fast / slow) / (last - first) if last > first and slow > 0 and fast > 0 else 0.0
    folds = min(max(growth, 0.0) * steps, 2 * FOLDS)
    mean = fast * (expm1(folds) / folds if folds > 0 else 1.0)
    return min(max(log10(lr * mean * steps + 1e-300), LEAST), MOST)
