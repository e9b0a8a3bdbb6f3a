"""Where trials are trained: each recipe and seed once, however often it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from gradclinic.task import Target

from ..purse import Purse
from ..recipe import Recipe
from .outcome import Outcome
from .trial import Trial

#: One trial: recipe and seed.
Case = tuple[Recipe, int]


class Results(Protocol):
    """Remembers outcomes beyond the process's end."""

    def get(self, case: Case, steps: int) -> Outcome | None:
        """What came of it after ``steps`` steps were asked for; None where that is not known."""

    def put(self, case: Case, steps: int, outcome: Outcome) -> None:
        """Keeps it."""


class Ward:
    """Trains trials in this process, in turns; what ``results`` knows already is not trained again."""

    def __init__(self, target: Target, purse: Purse, results: Results | None = None) -> None:
        self._target, self._purse, self._results = target, purse, results
        self._trials: dict[tuple[str, int], Trial] = {}
        self._known: dict[tuple[str, int], Outcome] = {}

    def train(self, cases: Sequence[Case], steps: int, what: str, tell: Callable[[Case], None]) -> list[Outcome]:
        """The outcomes after ``steps`` steps, in order.  ``what`` they are for; ``tell`` hears of each before it."""
        return [self._one(case, steps, what, tell) for case in cases]

    def free(self, kept: Iterable[Case] = ()) -> None:
        """Lets go of the models of all trials but these."""
        keys = {_key(case) for case in kept}
        self._trials = {key: trial for key, trial in self._trials.items() if key in keys}

    def _one(self, case: Case, steps: int, what: str, tell: Callable[[Case], None]) -> Outcome:
        key = _key(case)
        before = self._known.get(key)
        if before is not None and (before.ended or before.steps >= steps):
            return before
        tell(case)
        outcome = self._results.get(case, steps) if self._results else None
        if outcome is None:
            trial = self._trials.get(key) or Trial(self._target, *case)
            self._trials[key] = trial
            outcome = trial.advance(steps)
            if self._results:
                self._results.put(case, steps, outcome)
        self._purse.spend(what, outcome.steps - (before.steps if before else 0))
        self._known[key] = outcome
        if outcome.ended:
            self._trials.pop(key, None)
        return outcome


def _key(case: Case) -> tuple[str, int]:
    return case[0].key, case[1]
