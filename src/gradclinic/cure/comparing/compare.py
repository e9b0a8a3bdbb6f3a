"""The comparison: for each optimizer a search for its rate, then trainings to the end on seeds that all share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from dataclasses import replace as changed

from gradclinic.errors import UserError
from gradclinic.task import Task

from ..purse import Purse
from ..trials import Results
from ..tuning import Search, run_search
from ..tuning.range_test import STEPS, Tell
from ..tuning.search import NoneTrains, Wanted
from .contestants import Contestant
from .probe import Probe
from .run import Run, train

#: The trainings to the end have seeds that no search comes to: what was lucky there must not be lucky here.
FRESH = 1000
#: Shares of an optimizer's work: the search, and the rest.
SEARCH = 0.5


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for all of them."""

    grid: int
    seeds: int
    budget: float | None  #: of a search, in training runs
    seed: int

    @property
    def fresh(self) -> list[int]:
        """The seeds of the trainings to the end."""
        return [self.seed + FRESH + place for place in range(self.seeds)]


@dataclass(slots=True)
class Entry:
    """One optimizer, as far as it came."""

    contestant: Contestant
    search: Search = field(default_factory=Search)
    purse: Purse = field(default_factory=lambda: Purse(float("inf"), float("inf")))  #: counts steps
    runs: list[Run] = field(default_factory=list)
    why: str = ""  #: why there are no runs
    error: Exception | None = None  #: what kept its search from being made at all


def compare_all(
    entries: list[Entry],
    those: Sequence[Contestant],
    probe: Probe,
    terms: Terms,
    tell: Tell,
    results: Callable[[str], Results],
) -> None:
    """Adds an entry for each, as soon as there is something to say of it.  The generators are the caller's to restore.

    Raises what the first one met where not one of them could be tried.
    """
    for place, contestant in enumerate(those):
        entry = Entry(contestant, why=contestant.why)
        entries.append(entry)

        def told(what: str, share: float, name: str = contestant.name, place: int = place) -> None:
            tell(f"{name}: {what}", (place + share) / len(those))

        if not entry.why:
            _enter(entry, probe, terms, told, results(contestant.name))
    errors = [entry.error for entry in entries if not entry.contestant.why]
    if errors and errors[0] is not None and None not in errors:
        raise errors[0]


def _enter(entry: Entry, probe: Probe, terms: Terms, tell: Tell, results: Results) -> None:
    contestant = entry.contestant
    wanted = Wanted(
        terms.grid,
        terms.seeds,
        budget=terms.budget,
        seed=terms.seed,
        together=True,
        range_steps=min(STEPS, contestant.steps),
    )
    try:
        # By the loss, which is what the optimizers compete in.
        by_loss = contestant.target.changed(contestant.target.name, _without_metric)
        run_search(entry.search, by_loss, wanted, entry.purse, lambda w, s: tell(w, SEARCH * s), results)
    except NoneTrains as none:
        entry.why = str(none)
    except UserError as error:
        entry.why, entry.error = str(error), error
    except Exception as error:  # an optimizer that does not bear the model, or the user's own code
        entry.why, entry.error = " ".join(f"{type(error).__name__}: {error}".split())[:300], error
    choice = entry.search.choice
    if entry.why or choice is None:
        return
    for number, seed in enumerate(terms.fresh):

        def told(share: float, number: int = number) -> None:
            done = (number + share) / terms.seeds
            tell(f"training {number + 1} of {terms.seeds}", SEARCH + (1 - SEARCH) * done)

        run = train(contestant, choice.lr, seed, probe, told, noise=number == 0)
        entry.purse.spend("trainings", len(run.losses))
        entry.runs.append(run)


def _without_metric(task: Task) -> Task:
    return changed(task, metric=None)
