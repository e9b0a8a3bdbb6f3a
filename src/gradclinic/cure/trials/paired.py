"""What the differences of paired trials say: a t interval of their mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, sqrt
from statistics import fmean, stdev

from gradclinic.measure.student import t95


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95% confidence interval of a mean difference."""

    mean: float
    low: float
    high: float
    count: int

    @property
    def above_zero(self) -> bool:
        """Whether it says that there is a gain."""
        return self.low > 0

    @property
    def says_nothing(self) -> bool:
        """Whether it holds zero."""
        return self.low <= 0 <= self.high


def paired_interval(better: Sequence[float], worse: Sequence[float]) -> Interval:
    """Of ``better[i] - worse[i]`` over the seeds i; infinitely wide for fewer than two.

    Raises:
        ValueError: there are none, or not as many of each.
    """
    differences = [a - b for a, b in zip(better, worse, strict=True)]
    if not differences:
        raise ValueError("no pairs")
    mean, count = fmean(differences), len(differences)
    if count < 2:
        return Interval(mean, -inf, inf, count)
    half = t95(count - 1) * stdev(differences) / sqrt(count)
    return Interval(mean, mean - half, mean + half, count)
