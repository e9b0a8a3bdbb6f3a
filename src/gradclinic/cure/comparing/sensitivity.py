"""How exactly a learning rate must be met."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, isfinite, log, log10
from statistics import fmean

from ..tuning import Round

#: What a rate must keep of the best one's fall of the loss to count as good.  A share of the fall, and not a factor of
#: the loss, since that means nothing for a loss that has a floor above 0, or lies below it.
KEPT = 0.9


@dataclass(frozen=True, slots=True)
class Band:
    """Neighbouring rates, the best among them, that are good."""

    low: float
    high: float
    ends: tuple[bool, bool]  #: whether a worse rate was tried below, and above

    @property
    def decades(self) -> float:
        """Its width; what there is at least where an end is not known."""
        return log10(self.high / self.low)


def band(part: Round) -> Band | None:
    """Of a round in which all rates trained for equally long; None where none of them lowers the loss."""
    start = before(part)
    losses = {lr: fmean(outcome.loss for outcome in those) for lr, those in part.trained.items() if those}
    return good(losses, start) if losses and start is not None else None


def before(part: Round) -> float | None:
    """The mean loss of the first batches; None where nothing trained."""
    first = [outcome.losses[0] for those in part.trained.values() for outcome in those if outcome.losses]
    return fmean(first) if first else None


def good(losses: Mapping[float, float], start: float) -> Band | None:
    """Of the losses after training at each rate (inf: ended), and the loss before.

    Between a good rate and a worse neighbour the end lies where the loss, linear in the logarithm of the rate, passes
    the limit; at the good rate itself where the neighbour ended.
    """
    rates = sorted(losses)
    best = min(rates, key=lambda lr: losses[lr])
    if not losses[best] < start:
        return None
    limit = start - KEPT * (start - losses[best])
    place = rates.index(best)
    low, below = _end(rates[place::-1], losses, limit)
    high, above = _end(rates[place:], losses, limit)
    return Band(low, high, (below, above))


def _end(rates: Sequence[float], losses: Mapping[float, float], limit: float) -> tuple[float, bool]:
    """The last good rate, going away from the best, and whether a worse one follows."""
    inner = rates[0]
    for outer in rates[1:]:
        if losses[outer] > limit:
            if not isfinite(losses[outer]):
                return inner, True
            share = (limit - losses[inner]) / (losses[outer] - losses[inner])
            return exp(log(inner) + share * (log(outer) - log(inner))), True
        inner = outer
    return inner, False
