"""Where trials are asked for: each recipe and seed is trained once, however often it is asked for."""

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


class Trainer(Protocol):
    """Trains a trial, somewhere."""

    def advance(self, case: Case, steps: int) -> Outcome:
        """What came of it after ``steps`` steps altogether."""

    def free(self, kept: Iterable[Case]) -> None:
        """No other trial but these is asked for again."""


class Here:
    """Trains in this process, in turns."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._trials: dict[tuple[str, int], Trial] = {}

    def advance(self, case: Case, steps: int) -> Outcome:
        """Goes on with the trial, or begins it."""
        key = _key(case)
        if key not in self._trials:
            self._trials[key] = Trial(self._target, *case)
        outcome = self._trials[key].advance(steps)
        if outcome.ended:
            del self._trials[key]
        return outcome

    def free(self, kept: Iterable[Case]) -> None:
        """Lets go of the models of all others."""
        keys = {_key(case) for case in kept}
        self._trials = {key: trial for key, trial in self._trials.items() if key in keys}


class Ward:
    """Counts what trials cost; what ``results`` knows already is not trained again."""

    def __init__(self, trainer: Trainer, purse: Purse, results: Results | None = None) -> None:
        self._trainer, self._purse, self._results = trainer, purse, results
        self._known: dict[tuple[str, int], Outcome] = {}

    def train(self, cases: Sequence[Case], steps: int, what: str, tell: Callable[[Case], None]) -> list[Outcome]:
        """The outcomes after ``steps`` steps, in order.  ``what`` they are for; ``tell`` hears of each before it."""
        return [self._one(case, steps, what, tell) for case in cases]

    def free(self, kept: Iterable[Case] = ()) -> None:
        """No other trial but these is asked for again."""
        self._trainer.free(kept)

    def _one(self, case: Case, steps: int, what: str, tell: Callable[[Case], None]) -> Outcome:
        before = self._known.get(_key(case))
        if before is not None and (before.ended or before.steps >= steps):
            return before
        tell(case)
        outcome = self._results.get(case, steps) if self._results else None
        if outcome is None:
            outcome = self._trainer.advance(case, steps)
            if self._results:
                self._results.put(case, steps, outcome)
        self._purse.spend(what, outcome.steps - (before.steps if before else 0))
        self._known[_key(case)] = outcome
        return outcome


def _key(case: Case) -> tuple[str, int]:
    return case[0].key, case[1]
