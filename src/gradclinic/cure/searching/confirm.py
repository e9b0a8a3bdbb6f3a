"""The best few of a search against the user's own settings, on seeds that the search has not seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

from ..proof import scores
from ..trials import Case, Interval, Outcome, Ward, paired_interval
from .space import Settings, recipe_of

#: The user's own settings: nothing is changed.
OWN: Settings = {}


@dataclass(frozen=True, slots=True)
class Arm:
    """Settings over the seeds of a comparison."""

    settings: Settings
    outcomes: tuple[Outcome, ...]
    values: tuple[float, ...]  #: by seed, higher is better: the metric, or the loss with its sign turned
    gain: Interval  #: over the user's own settings, in pairs

    @property
    def ended(self) -> bool:
        """Whether it ended on any seed."""
        return any(outcome.ended for outcome in self.outcomes)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Settings beside the user's own, which are the last arm."""

    steps: int
    seeds: tuple[int, ...]
    by_metric: bool
    arms: tuple[Arm, ...]

    @property
    def best(self) -> Arm | None:
        """Of those that are not the user's own: the best mean that lies above theirs; None where there is none.

        One that ended on any seed is never the best.
        """
        whole = [arm for arm in self.arms[:-1] if not arm.ended and arm.gain.mean > 0]
        return max(whole, key=lambda arm: fmean(arm.values), default=None)


def compare(
    ward: Ward, those: Sequence[Settings], seeds: Sequence[int], steps: int, what: str, tell: Callable[[Case], None]
) -> Comparison:
    """Trains each of ``those``, and the user's own, for ``steps`` steps on each seed.

    A trial that ended counts as the worst that any came to.
    """
    arms = [*those, OWN]
    cases = [(recipe_of(settings, steps), seed) for settings in arms for seed in seeds]
    outcomes = ward.train(cases, steps, what, tell)
    ward.free()
    columns = [outcomes[place : place + len(seeds)] for place in range(0, len(outcomes), len(seeds))]
    values, by_metric = scores(columns)
    return Comparison(
        steps,
        tuple(seeds),
        by_metric,
        tuple(
            Arm(settings, tuple(column), tuple(own), paired_interval(own, values[-1]))
            for settings, column, own in zip(arms, columns, values, strict=True)
        ),
    )
