"""A noisy loss made smooth, and when it has run away."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, isfinite, nan
from statistics import pstdev

#: Weight of the past: some ten losses are averaged, half a decade of a test of a hundred steps over six.
PAST = 0.9
#: A loss this many times the one at the start has run away, as for fastai and Lightning; they compare with the best
#: loss, which noise ends where the best is close to 0.
AWAY = 4.0
#: Losses that the scatter at the start is taken of.
FIRST = 8


def smoothed(losses: Sequence[float], past: float = PAST) -> list[float]:
    """Exponential means with bias correction (Kingma and Ba 2015, section 3); nan before the first finite loss.

    What is not finite is left out: it repeats the mean before it.
    """
    mean, weight, found = 0.0, 0.0, []
    for loss in losses:
        if isfinite(loss):
            mean, weight = past * mean + (1 - past) * loss, past * weight + (1 - past)
        found.append(mean / weight if weight else nan)
    return found


def diverged(losses: Sequence[float]) -> bool:
    """Whether the last loss is not finite, or the smoothed one ran away from the start's.

    The start's is the mean of the first losses, and a loss that begins near 0 may rise by what its batches scatter.
    """
    if not losses:
        return False
    if not isfinite(losses[-1]):
        return True
    if len(losses) <= FIRST:
        return False
    start = sum(losses[:FIRST]) / FIRST
    bound = start + (AWAY - 1) * max(abs(start), pstdev(losses[:FIRST]))
    return smoothed(losses)[-1] > (bound if isfinite(bound) else inf)
