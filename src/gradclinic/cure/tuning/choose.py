"""The best of several rates, and of those that are as good the middle one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite, sqrt
from statistics import fmean, stdev

from ..trials import Interval, Outcome, paired_interval


@dataclass(frozen=True, slots=True)
class Choice:
    """What a round says."""

    lr: float
    best: float  #: of the highest mean
    plateau: tuple[float, ...]  #: neighbours on the grid that cannot be told from it
    interval: Interval  #: of the chosen rate's values
    by_metric: bool
    at_edge: bool  #: the best lies at an end of the grid


def metric_decides(outcomes: Sequence[Outcome]) -> bool:
    """Whether all that trained have a metric, and it differs."""
    metrics = [outcome.metric for outcome in outcomes if not outcome.ended]
    return bool(metrics) and None not in metrics and len(set(metrics)) > 1


def value(outcome: Outcome, *, by_metric: bool) -> float:
    """Higher is better; -inf for a trial that ended."""
    if outcome.ended:
        return -inf
    return outcome.metric if by_metric and outcome.metric is not None else -outcome.loss


def values_of(trained: Mapping[float, Sequence[Outcome]], *, by_metric: bool) -> dict[float, list[float]]:
    """By rate, over the replicates."""
    return {lr: [value(outcome, by_metric=by_metric) for outcome in those] for lr, those in sorted(trained.items())}


def ranked(values: Mapping[float, Sequence[float]]) -> list[float]:
    """Rates, the best mean first; one that ended in any replicate comes after all that did not."""
    return sorted(values, key=lambda lr: -fmean(values[lr]))


def choose(trained: Mapping[float, Sequence[Outcome]], grid: Sequence[float]) -> Choice | None:
    """Of the round's rates; None where each of them ended in some replicate.

    Two rates cannot be told apart where the paired lead of the better is no more than its own standard error: the rule
    of one standard error (Breiman et al. 1984), which also holds back where two or three seeds make a 95% interval
    hold everything.
    """
    by_metric = metric_decides([outcome for those in trained.values() for outcome in those])
    values = values_of(trained, by_metric=by_metric)
    best = ranked(values)[0]
    if not all(map(isfinite, values[best])):
        return None
    plateau = _plateau(values, best)
    lr = _middle(plateau, values)
    zeros = [0.0] * len(values[lr])
    return Choice(lr, best, plateau, paired_interval(values[lr], zeros), by_metric, best in (min(grid), max(grid)))


def _plateau(values: Mapping[float, Sequence[float]], best: float) -> tuple[float, ...]:
    """The neighbours of the best, on both sides, as far as they are as good."""
    rates = sorted(values)
    low = high = rates.index(best)
    while low > 0 and _as_good(values[rates[low - 1]], values[best]):
        low -= 1
    while high < len(rates) - 1 and _as_good(values[rates[high + 1]], values[best]):
        high += 1
    return tuple(rates[low : high + 1])


def _as_good(those: Sequence[float], best: Sequence[float]) -> bool:
    leads = [own - other for own, other in zip(best, those, strict=True)]
    if not all(map(isfinite, leads)):
        return False
    error = stdev(leads) / sqrt(len(leads)) if len(leads) > 1 else 0.0
    return fmean(leads) <= error


def _middle(plateau: Sequence[float], values: Mapping[float, Sequence[float]]) -> float:
    """Of two in the middle the better one."""
    middle = plateau[(len(plateau) - 1) // 2 : len(plateau) // 2 + 1]
    return max(middle, key=lambda lr: fmean(values[lr]))
