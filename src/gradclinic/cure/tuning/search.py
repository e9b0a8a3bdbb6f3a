"""The search: the window, the range test, rounds over a grid, the choice."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice
from statistics import fmean, stdev

from gradclinic.errors import UserError
from gradclinic.measure.range_test import Suggestions, suggest
from gradclinic.task import Target, Task, parts_of

from ..purse import Purse
from ..recipe import Recipe
from ..screening import BATCHES, COST, Screened, screen
from ..trials import Outcome, Places, Results, Ward
from .choose import Choice, choose
from .folds import fold_targets
from .grid import Span, around, inside, rates_of
from .halving import plan
from .range_test import STEPS, Curve, Tell, range_test
from .rounds import Round, run_rounds

#: Standard errors by which a loss must have fallen to have learned anything.
CLEAR = 2.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the user asked for."""

    grid: int = 9
    seeds: int = 3
    folds: int = 0  #: 0: seeds are the replicates
    budget: float | None = None  #: training runs
    span: Span | None = None  #: in place of the window
    seed: int = 0
    together: bool = False  #: one round, of exactly ``grid`` rates at first, in place of halving
    range_steps: int = STEPS


class NoneTrains(UserError):
    """No rate that was tried lowers the loss."""


@dataclass(slots=True)
class Search:
    """All that was measured, as soon as it is known."""

    window: Screened | None = None
    curve: Curve | None = None
    found: Suggestions = field(default_factory=Suggestions)
    rates: list[float] = field(default_factory=list)
    rounds: list[Round] = field(default_factory=list)
    choice: Choice | None = None


def run_search(
    search: Search,
    target: Target,
    wanted: Wanted,
    purse: Purse,
    tell: Tell,
    results: Results | None = None,
    places: Places | None = None,
) -> None:
    """Measures, tries and chooses, and notes each thing in ``search``.  The generators are the caller's to restore.

    Raises:
        NoneTrains: no rate trains.
        UserError: the target is not fit for it, or the budget is too small.
    """
    task = target.build(wanted.seed)
    own = max(float(group["lr"]) for group in task.new_optimizer().param_groups)
    targets = fold_targets(target, wanted.folds, wanted.seed) if wanted.folds else [target] * wanted.seeds
    schedule = partial(plan, replicates=len(targets), steps=task.steps, budget=wanted.budget, together=wanted.together)
    schedule(wanted.grid)  # a budget that is too small is told at once
    within = look(search, targets[0], task, wanted, purse, tell)
    search.rates = rates_of(within, wanted.grid, 0.0 if wanted.together else own)
    with ExitStack() as stack:
        different = {each.name: each for each in targets}
        trainers = {
            name: stack.enter_context((places or Places()).trainer(each, again=False, turns=len(different)))
            for name, each in different.items()
        }
        wards = {name: Ward(trainer, purse, results) for name, trainer in trainers.items()}
        run_rounds(
            search.rounds,
            search.rates,
            [wards[each.name] for each in targets],
            schedule(len(search.rates)),
            wanted.seed,
            lambda what, share: tell(what, 0.1 + 0.9 * share),
            wider=wanted.span is None,
        )
    search.choice = choose(search.rounds[-1].trained, search.rates)
    _refuse(search, target.name)


def look(search: Search, target: Target, task: Task, wanted: Wanted, purse: Purse, tell: Tell) -> Span:
    """Measures the window and runs the range test; the span of rates worth training.

    ``task`` is one that ``target`` built, whose batches the window is measured on.

    Raises:
        UserError: the loss is not finite before the first step.
    """
    own = max(float(group["lr"]) for group in task.new_optimizer().param_groups)
    tell("the window", 0.0)
    batches = chain.from_iterable(map(parts_of, task.stream()))
    search.window = screen(target, Recipe(), wanted.seed, list(islice(batches, BATCHES)))
    purse.spend("window", COST)
    span = wanted.span or around(search.window, own)
    steps = wanted.range_steps
    search.curve = range_test(target, span.low, span.high, wanted.seed, lambda what, _: tell(what, 0.05), steps)
    purse.spend("range test", len(search.curve.losses))
    search.found = suggest(search.curve.rates, search.curve.losses)
    return wanted.span or inside(search.curve, search.window, search.found)


def _refuse(search: Search, name: str) -> None:
    """Raises where nothing of what was tried trains."""
    window = search.window
    known = window is not None and not window.why and 0 < window.low < window.stable
    advice = (
        f"the window of this training is {window.low:.2g} to {window.stable:.2g}"
        if known and window is not None
        else f"gradclinic treat {name} looks for what else is wrong"
    )
    low, high = search.rates[0], search.rates[-1]
    if search.choice is None:
        # What was raised is the user's own error, and says more than that it ended.
        ends = [outcome.ended for those in search.rounds[0].trained.values() for outcome in those]
        raised = next((text for text in ends if text and text != "diverged"), "")
        said = f"fails ({raised})" if raised else "diverges"
        raise NoneTrains(f"every learning rate from {low:.2g} to {high:.2g} {said}; {advice}")
    if not any(learned(outcomes) for outcomes in search.rounds[-1].trained.values()):
        steps = search.rounds[-1].steps
        raise NoneTrains(
            f"no learning rate from {low:.2g} to {high:.2g} lowers the loss within {steps} steps; {advice}"
        )


def learned(outcomes: Sequence[Outcome]) -> bool:
    """Whether the last third of the losses lies clearly below the first ones, all replicates together.

    The first ones are a tenth: what learns fast has arrived by a third.
    """
    first = [loss for outcome in outcomes for loss in outcome.losses[: max(len(outcome.losses) // 10, 2)]]
    last = [loss for outcome in outcomes for loss in outcome.losses[-max(len(outcome.losses) // 3, 2) :]]
    if any(outcome.ended for outcome in outcomes) or min(len(first), len(last)) < 2:
        return False
    error = (stdev(first) ** 2 / len(first) + stdev(last) ** 2 / len(last)) ** 0.5
    fall = fmean(first) - fmean(last)
    return fall > 0 and fall >= CLEAR * error
