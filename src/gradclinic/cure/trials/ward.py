"""Where trials are asked for: each recipe and seed is trained once, however often it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
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

    def advance(self, cases: Sequence[Case], steps: int) -> Iterator[tuple[Case, Outcome]]:
        """What came of each after ``steps`` steps altogether, in any order."""

    def free(self, kept: Iterable[Case]) -> None:
        """No other trial but these is asked for again."""


class Here:
    """Trains in this process, in turns; with ``again=False`` each trial is asked for once, and no model is kept."""

    def __init__(self, target: Target, *, again: bool = True) -> None:
        self._target, self._again = target, again
        self._trials: dict[tuple[str, int], Trial] = {}

    def advance(self, cases: Sequence[Case], steps: int) -> Iterator[tuple[Case, Outcome]]:
        """Goes on with each trial, or begins it."""
        for case in cases:
            key = key_of(case)
            if key not in self._trials:
                self._trials[key] = Trial(self._target, *case)
            outcome = self._trials[key].advance(steps)
            if outcome.ended or not self._again:
                del self._trials[key]
            yield case, outcome

    def free(self, kept: Iterable[Case]) -> None:
        """Lets go of the models of all others."""
        self.keep({key_of(case) for case in kept})

    def keep(self, keys: set[tuple[str, int]]) -> None:
        """The same by the trials' keys."""
        self._trials = {key: trial for key, trial in self._trials.items() if key in keys}


class Ward:
    """Counts what trials cost; what ``results`` knows already is not trained again."""

    def __init__(self, trainer: Trainer, purse: Purse, results: Results | None = None) -> None:
        self._trainer, self._purse, self._results = trainer, purse, results
        self._known: dict[tuple[str, int], Outcome] = {}

    def train(self, cases: Sequence[Case], steps: int, what: str, tell: Callable[[Case], None]) -> list[Outcome]:
        """The outcomes after ``steps`` steps, in order.

        ``what`` is what they are for; ``tell`` hears of each that was trained.
        """
        missing: dict[tuple[str, int], Case] = {}
        for case in cases:
            known = self._known.get(key_of(case))
            if known is not None and (known.ended or known.steps >= steps):
                continue
            kept = self._results.get(case, steps) if self._results else None
            if kept is None:
                missing[key_of(case)] = case
            else:
                self._note(case, kept, what)
        for case, outcome in self._trainer.advance(list(missing.values()), steps):
            tell(case)
            if self._results:
                self._results.put(case, steps, outcome)
            self._note(case, outcome, what)
        return [self._known[key_of(case)] for case in cases]

    def free(self, kept: Iterable[Case] = ()) -> None:
        """No other trial but these is asked for again."""
        self._trainer.free(kept)

    def _note(self, case: Case, outcome: Outcome, what: str) -> None:
        before = self._known.get(key_of(case))
        self._purse.spend(what, outcome.steps - (before.steps if before else 0))
        self._known[key_of(case)] = outcome


def key_of(case: Case) -> tuple[str, int]:
    """The same for the same changes and seed."""
    return case[0].key, case[1]
