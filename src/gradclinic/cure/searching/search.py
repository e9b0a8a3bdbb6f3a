"""The search: the window and the range test, trials that Optuna proposes, and the confirmation of the best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path

from gradclinic.errors import UserError
from gradclinic.task import Target, Task

from ..purse import Purse
from ..trials import Case, Outcome, Places, Results, Ward
from ..tuning import Search as Looked
from ..tuning.grid import Span
from ..tuning.range_test import Tell
from ..tuning.search import Wanted as RateWanted
from ..tuning.search import look
from .confirm import Arm, Comparison, compare
from .plan import FINALISTS, Plan, plan
from .space import Settings, Space, own_settings, recipe_of
from .study import PRUNED, Study, Tried, quiet

#: The confirmation has seeds that no trial had: what was lucky there must not be lucky here.
FRESH = 1000
#: Shares of the work as the progress bar has them: before the trials, and up to the confirmation.
LOOKED, SEARCHED = 0.05, 0.55


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the user asked for."""

    names: tuple[str, ...]
    trials: int = 30
    seeds: int = 3  #: of each comparison that confirms
    budget: float | None = None  #: training runs
    span: Span | None = None  #: of learning rates, in place of the window
    seed: int = 0
    together: int = 1  #: trials asked for at a time


@dataclass(slots=True)
class Found:
    """All that was measured, as soon as it is known."""

    own: dict[str, float | str] = field(default_factory=dict)  #: the user's settings
    by_metric: bool = True  #: what the trials are judged by
    looked: Looked = field(default_factory=Looked)  #: window and range test, where the learning rate is searched
    space: Space | None = None
    plan: Plan | None = None
    tried: list[Tried] = field(default_factory=list)
    finals: Comparison | None = None
    proof: Comparison | None = None  #: of the best of the finals, on other seeds

    @property
    def whole(self) -> list[Tried]:
        """Trials that took all their steps, the best first."""
        those = [tried for tried in self.tried if tried.value is not None and isfinite(tried.value)]
        return sorted(those, key=lambda tried: (tried.value or 0.0) * (-1 if self.by_metric else 1))

    @property
    def proven(self) -> Arm | None:
        """The settings that beat the user's own on fresh seeds: the interval of the paired gains lies above zero."""
        arm = self.proof.arms[0] if self.proof else None
        return arm if arm is not None and not arm.ended and arm.gain.above_zero else None


def search(
    found: Found,
    target: Target,
    wanted: Wanted,
    purse: Purse,
    tell: Tell,
    journal: Path,
    results: Results | None = None,
    places: Places | None = None,
) -> None:
    """Notes in ``found`` each thing as it is known.  The generators are the caller's to restore.

    ``journal`` is the file of Optuna's study: where it is there, the search goes on from it.

    Raises:
        UserError: the target is not fit for it, no trial trains, or the budget is too small.
    """
    task = target.build(wanted.seed)
    optimizer = task.new_optimizer()
    found.own = own_settings(optimizer)
    found.by_metric = task.metric is not None
    found.plan = plan(wanted.trials, wanted.seeds, task.steps, wanted.budget, together=wanted.together)
    Space.of(wanted.names, optimizer, None)  # a setting that it does not have is told at once
    rates = _rates(found, target, task, wanted, purse, tell) if "lr" in wanted.names else None
    found.space = Space.of(wanted.names, optimizer, rates)
    with (places or Places()).trainer(target) as trainer, quiet():
        ward = Ward(trainer, purse, results)
        study = Study(journal, found.space, wanted.trials, wanted.seed, minimize=not found.by_metric)
        _Trials(found, study, ward, wanted, purse, tell).run()
        _refuse(found, target.name)
        _confirm(found, ward, wanted, tell)


def _rates(found: Found, target: Target, task: Task, wanted: Wanted, purse: Purse, tell: Tell) -> Span:
    own = RateWanted(span=wanted.span, seed=wanted.seed)
    return look(found.looked, target, task, own, purse, lambda what, share: tell(what, LOOKED * share))


class _Trials:
    """Trains what Optuna proposes, so many at a time, in stages."""

    def __init__(self, found: Found, study: Study, ward: Ward, wanted: Wanted, purse: Purse, tell: Tell) -> None:
        assert found.plan is not None
        self._found, self._study, self._ward, self._wanted = found, study, ward, wanted
        self._purse, self._tell, self._plan = purse, tell, found.plan

    def run(self) -> None:
        """All trials, or as many as the budget has room for."""
        count = self._wanted.trials
        for first in range(0, count, self._wanted.together):
            if sum(tried.steps for tried in self._found.tried) >= self._plan.limit:
                return
            self._batch(range(first, min(first + self._wanted.together, count)))

    def _batch(self, numbers: range) -> None:
        """Every end is decided before any is told, so that a batch that was cut off is decided alike again."""
        study = self._study
        for number in numbers:
            if study.decided(number):
                continue
            study.ask(number)
        going = [number for number in numbers if not study.decided(number)]
        trained = set(going)
        for steps in self._plan.stages:
            self._stage(going, steps)
            going = [number for number in going if not study.decided(number)]
        self._ward.free()
        for number in numbers:
            tried = study.tell(number)
            if number not in trained:
                self._purse.spend("trials", tried.steps)
            self._found.tried.append(tried)

    def _stage(self, numbers: Sequence[int], steps: int) -> None:
        study, last = self._study, steps == self._plan.trial
        cases = [(recipe_of(study.settings(number), self._plan.trial), self._wanted.seed) for number in numbers]
        outcomes = dict(zip(numbers, self._ward.train(cases, steps, "trials", self._told), strict=True))
        for number, outcome in outcomes.items():
            study.report(number, steps, self._value(outcome))
        for number, outcome in outcomes.items():
            if outcome.ended or self._value(outcome) is None:
                study.decide(number, outcome.ended or "its metric is no number", outcome.steps)
            elif last or study.hopeless(number):
                study.decide(number, "" if last else PRUNED, outcome.steps)

    def _value(self, outcome: Outcome) -> float | None:
        """None where there is none: it ended, or its metric is no number."""
        value = outcome.metric if self._found.by_metric else outcome.loss
        return None if outcome.ended else value

    def _told(self, case: Case) -> None:
        share = len(self._found.tried) / self._wanted.trials
        best = self._found.whole[:1]
        sofar = f" (best {best[0].value:.4g})" if best else ""
        what = f"trial {len(self._found.tried) + 1} of {self._wanted.trials}{sofar}"
        self._tell(what, LOOKED + (SEARCHED - LOOKED) * share)


def _refuse(found: Found, name: str) -> None:
    """Raises where no trial came to its end."""
    if found.whole:
        return
    ends = [tried.fate for tried in found.tried]
    raised = next((fate for fate in ends if fate not in ("diverged", PRUNED)), "")
    said = f"fails ({raised})" if raised else "diverges"
    raise UserError(f"every one of the {len(ends)} trials {said}; gradclinic treat {name} looks for what is wrong")


def _confirm(found: Found, ward: Ward, wanted: Wanted, tell: Tell) -> None:
    """The finalists beside the user's own settings; then the best of them again, on seeds that did not choose it."""
    assert found.plan is not None
    done, steps = 0, found.plan.final
    finalists = _finalists(found.whole)
    total = (len(finalists) + 1 + 2) * wanted.seeds

    def told(case: Case) -> None:
        nonlocal done
        done += 1
        tell(f"confirming on seed {case[1]}", SEARCHED + (1 - SEARCHED) * done / total)

    first = wanted.seed + FRESH
    seeds = [range(first + place, first + place + wanted.seeds) for place in (0, wanted.seeds)]
    found.finals = compare(ward, finalists, seeds[0], steps, "finals", told)
    best = found.finals.best
    if best is not None:
        found.proof = compare(ward, [best.settings], seeds[1], steps, "proof", told)


def _finalists(whole: Sequence[Tried]) -> list[Settings]:
    """The best few, no two of them the same."""
    different = {recipe_of(tried.settings, 1).key: tried.settings for tried in reversed(whole)}
    return list(different.values())[::-1][:FINALISTS]
