"""The rounds of a search: all rates for a few steps, the better half for more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..recipe import Change, Recipe
from ..trials import Case, Outcome, Ward
from .choose import metric_decides, ranked, values_of
from .halving import Plan
from .range_test import Tell

#: Rates tried at most beyond the grid: each costs as much as one of it, and two decades more are another question.
WIDER = 4


def recipe_of(lr: float) -> Recipe:
    """The change that sets a rate."""
    return Recipe.of(Change("learning_rate", {"lr": lr}))


@dataclass(slots=True)
class Round:
    """Outcomes by rate, over the replicates, after equally many steps."""

    steps: int
    trained: dict[float, list[Outcome]] = field(default_factory=dict)

    def order(self) -> list[float]:
        """Rates, the best first."""
        by_metric = metric_decides([outcome for those in self.trained.values() for outcome in those])
        return ranked(values_of(self.trained, by_metric=by_metric))


class Trainer:
    """Trains one rate on all replicates; no model outlives its trial."""

    def __init__(self, wards: Sequence[Ward], first_seed: int, part: Round, tell: Tell) -> None:
        # Each replicate has a seed of its own, by which kept results tell folds apart.
        self._seats = [(ward, first_seed + place) for place, ward in enumerate(wards)]
        self._part, self._tell = part, tell

    def train(self, rates: Sequence[float], begin: float, share: float) -> None:
        """Adds the outcomes of ``rates`` to the round, which is ``share`` of all the work, ``begin`` of it done."""
        found: dict[float, list[Outcome]] = {lr: [] for lr in rates}
        done = 0

        def told(case: Case) -> None:
            nonlocal done
            done += 1
            self._tell(case[0].says(), begin + share * done / (len(rates) * len(self._seats)))

        for ward, seeds in self._by_ward():
            cases = [(recipe_of(lr), seed) for lr in rates for seed in seeds]
            outcomes = ward.train(cases, self._part.steps, "grid", told)
            ward.free()
            for (place, _), outcome in zip(((lr, seed) for lr in rates for seed in seeds), outcomes, strict=True):
                found[place].append(outcome)
        self._part.trained |= found

    def _by_ward(self) -> list[tuple[Ward, list[int]]]:
        seeds: dict[Ward, list[int]] = {}
        for ward, seed in self._seats:
            seeds.setdefault(ward, []).append(seed)
        return list(seeds.items())


def run_rounds(
    rounds: list[Round],
    rates: list[float],
    wards: Sequence[Ward],
    planned: Sequence[Plan],
    seed: int,
    tell: Tell,
    *,
    wider: bool,
) -> None:
    """Adds to ``rounds``, and to ``rates`` what was tried beyond them where ``wider`` and the best lies at an end.

    ``wards``: one for each replicate, the same one for seeds.  Every round has fresh seeds: what was lucky in
    one is not lucky in the next.
    """
    going = list(rates)
    for number, part in enumerate(planned):
        rounds.append(Round(part.steps))
        trainer = Trainer(wards, seed + number * len(wards), rounds[-1], tell)
        those = sorted(going[: part.rates])
        trainer.train(those, number / len(planned), 1 / len(planned))
        if number == 0 and wider:
            _widen(rates, rounds[0], trainer, 1 / len(planned))
        going = rounds[-1].order()


def _widen(rates: list[float], part: Round, trainer: Trainer, share: float) -> None:
    ratio = (rates[-1] / rates[0]) ** (1 / (len(rates) - 1))
    for _ in range(WIDER):
        best = part.order()[0]
        if best not in (rates[0], rates[-1]) or any(outcome.ended for outcome in part.trained[best]):
            return
        new = float(f"{best * ratio if best == rates[-1] else best / ratio:.3g}")
        trainer.train([new], share, 0.0)
        rates.append(new)
        rates.sort()
