"""What the differences of paired trials say: a t interval of their mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, sqrt
from statistics import fmean, stdev

#: Two-sided 95% quantiles of Student's t for 1, 2, ... degrees of freedom (Student 1908; tables).
_T95 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131)
_NORMAL95 = 1.960


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
    quantile = _T95[count - 2] if count - 2 < len(_T95) else _NORMAL95
    half = quantile * stdev(differences) / sqrt(count)
    return Interval(mean, mean - half, mean + half, count)
