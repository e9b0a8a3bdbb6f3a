"""Optuna's study, in a file that outlives the process, and asked so that it goes on as if it had never been killed."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .plan import WHOLE
from .space import Settings, Space

if TYPE_CHECKING:
    import optuna

#: The study's name in its file.
NAME = "gradclinic tune"
#: Trials drawn at random before the sampler has anything to go by (Optuna's default), and their share at most.
RANDOM, RANDOM_SHARE = 10, 1 / 3

#: Attributes of a trial in the study.
FATE, STEPS = "fate", "steps"
PRUNED = "pruned"


@dataclass(frozen=True, slots=True)
class Tried:
    """One trial that is over."""

    number: int
    settings: Settings
    reported: tuple[tuple[int, float], ...]  #: steps and the value after them: the metric, or the loss; nan: it ended
    steps: int  #: taken
    fate: str  #: "" for a whole trial, :data:`PRUNED`, or why it ended

    @property
    def value(self) -> float | None:
        """Of a whole trial."""
        return None if self.fate else self.reported[-1][1]


class Study:
    """Asks for settings and remembers what came of them.

    The sampler's generator begins anew with each trial, by its number, and a trial's fate is written down before any
    of those beside it is told: so the next settings follow from the file alone.
    """

    def __init__(self, path: Path, space: Space, trials: int, seed: int, *, minimize: bool) -> None:
        import optuna
        from optuna.storages.journal import JournalFileBackend

        _mended(path)
        self._space, self._seed = space, seed
        self._open: dict[int, optuna.Trial] = {}
        self._random = max(min(RANDOM, int(RANDOM_SHARE * trials)), 1)
        self._study = optuna.create_study(
            storage=optuna.storages.JournalStorage(JournalFileBackend(str(path))),
            study_name=NAME,
            direction="minimize" if minimize else "maximize",
            pruner=optuna.pruners.MedianPruner(n_startup_trials=WHOLE),
            load_if_exists=True,
        )

    def ask(self, number: int) -> None:
        """Gives the trial of that number its settings: a new one, or one that was cut off."""
        import optuna

        self._study.sampler = optuna.samplers.TPESampler(
            n_startup_trials=self._random, multivariate=True, constant_liar=True, seed=self._drawn(number)
        )
        known = self._trials()
        trial = optuna.Trial(self._study, known[number]._trial_id) if number < len(known) else self._study.ask()
        self._space.suggest(trial)
        self._open[number] = trial

    def settings(self, number: int) -> Settings:
        """Of a trial that was asked for."""
        return self._space.settings(self._trials()[number].params)

    def report(self, number: int, steps: int, value: float | None) -> None:
        """What a trial came to after ``steps`` steps; None: it ended."""
        if steps not in self._trials()[number].intermediate_values:
            self._open[number].report(nan if value is None else value, steps)

    def hopeless(self, number: int) -> bool:
        """Whether a trial that goes on did worse so far than the median of the whole ones had at that point."""
        return bool(self._open[number].should_prune())  # numpy's, at times

    def decide(self, number: int, fate: str, steps: int) -> None:
        """How a trial ended after ``steps`` steps: "" as a whole one, :data:`PRUNED`, or why."""
        self._open[number].set_user_attr(STEPS, steps)
        self._open[number].set_user_attr(FATE, fate)

    def decided(self, number: int) -> bool:
        """Whether it is known how a trial ended."""
        known = self._trials()
        return number < len(known) and FATE in known[number].user_attrs

    def tell(self, number: int) -> Tried:
        """That nothing more comes of a trial whose end was decided.  The value of a whole one was reported last."""
        import optuna

        trial = self._trials()[number]
        fate, steps = str(trial.user_attrs[FATE]), int(trial.user_attrs[STEPS])
        reported = tuple(sorted(trial.intermediate_values.items()))
        if not trial.state.is_finished():
            if fate:
                self._study.tell(number, state=optuna.trial.TrialState.PRUNED)
            else:
                self._study.tell(number, reported[-1][1])
        self._open.pop(number, None)
        return Tried(number, self._space.settings(trial.params), reported, steps, fate)

    def _drawn(self, number: int) -> int:
        """A trial's own seed; mixed, since generators of neighbouring seeds begin alike."""
        return int(np.random.SeedSequence([self._seed, number]).generate_state(1)[0])

    def _trials(self) -> list[optuna.trial.FrozenTrial]:
        return self._study.get_trials(deepcopy=False)


@contextmanager
def quiet() -> Iterator[None]:
    """Optuna says nothing but warnings, and none of its own experiments."""
    import optuna

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)


def _mended(path: Path) -> None:
    """Cuts off a last line that was not written to its end: Optuna would read nothing that comes after it."""
    if path.exists() and not (text := path.read_bytes()).endswith(b"\n"):
        path.write_bytes(text[: text.rfind(b"\n") + 1])
