"""Which recipes are worth a trial: what the findings ask for first, and what opens the window."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import isfinite, isnan

from .indications import indicated
from .patient import Patient
from .recipe import Change, Recipe
from .remedies import all_remedies, find_remedy
from .screening import Screened
from .usual import NEAR, joined, usual

#: Families that leave the network itself alone: their effect is not in the window of the initial weights, or is a
#: shift of the rate in it.
LOOP = ("optimizer", "regularization", "learning_rate", "schedule", "clipping")
#: Families that set right what a network is given and what is asked of it.
GROUND = ("parameters", "inputs", "targets", "output")
#: Decades of window beyond which a wider one trains no better.
WIDE = 4.0
#: Decades that each change is taken to bring where no window can be measured: a little more than it costs by its size,
#: since networks that have all of the usual things train, and a few real steps show nothing of one that lacks the last.
UNKNOWN = 0.8
#: Decades of window that a remedy is worth which the findings ask for, and that one unit of size must bring.
ASKED, PER_SIZE = 1.0, 0.15
#: And that a second variant of the same changes must bring over the first, so that different ones get their trial.
AGAIN = 0.7


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A recipe, and how promising it looked."""

    recipe: Recipe
    promise: float
    screened: Screened | None = None
    usual: bool = False  #: whether it is what one would build today, which gets its trial whatever it promises


def proposals(patient: Patient) -> list[Change]:
    """All that fit, those that the findings ask for first, then the smaller ones; the first options of each first."""
    wanted = indicated(patient.findings)

    def rank(change: Change, place: int) -> tuple[int, int, int]:
        asked = wanted.index(change.remedy) if change.remedy in wanted else len(wanted)
        return (place, asked, find_remedy(change.remedy).size)

    ranked = [
        (rank(change, place), change)
        for remedy in all_remedies()
        for place, change in enumerate(Change(remedy.id, dict(options)) for options in remedy.propose(patient))
    ]
    return [change for _, change in sorted(ranked, key=lambda pair: pair[0])]


def bases(patient: Patient, changes: Sequence[Change]) -> Iterator[Recipe]:
    """Changes of the network itself, none first; then each of them alone and on the ground that all others stand on.

    The ground is what has a reason that needs no trial: scales that are off, and what no short training can show.
    """
    yield Recipe()
    ground = ground_of(patient, changes)
    for place in range(len(ground.changes), 0, -1):
        yield Recipe.of(*ground.changes[:place])
    for change in ground.changes[1:]:
        yield Recipe.of(change)
    network = [c for c in changes if _family(c) not in LOOP and c not in ground.changes]
    wanted = indicated(patient.findings)
    asked = [change for change in network if change.remedy in wanted]
    for those in (asked, [change for change in network if change not in asked]):
        for change in those:
            if ground.changes:
                yield ground.with_change(change)
            yield Recipe.of(change)
        if those is asked:
            yield usual(patient, ground, changes)[0]
        yield from _pairs(ground, those)


def ground_of(patient: Patient, changes: Sequence[Change]) -> Recipe:
    """The first of each family that :data:`GROUND` names or that is urgent."""
    found: dict[str, Change] = {}
    for change in changes:
        if _family(change) in GROUND or find_remedy(change.remedy).urgency(patient) > 0:
            found.setdefault(_family(change), change)
    return Recipe.of(*found.values())


def candidates(
    patient: Patient, changes: Sequence[Change], recipes: Iterable[Recipe], look: Callable[[Recipe], Screened | None]
) -> list[Candidate]:
    """The promising first; ``look`` screens a recipe, or gives None when it should not be looked at any more.

    What nobody looked at stays a candidate where there is a reason for it.  Doing nothing is not among them: it is a
    trial of its own.
    """
    found: dict[str, Candidate] = {}
    wanted = indicated(patient.findings)

    def reason(recipe: Recipe) -> float:
        """In decades of window: that the findings ask for it, or all that no window shows."""
        asked = ASKED * any(change.remedy in wanted for change in recipe.changes)
        return max(asked, sum(find_remedy(change.remedy).urgency(patient) for change in recipe.changes))

    def add(recipe: Recipe, promise: float, screened: Screened | None) -> None:
        if recipe.changes and recipe.key not in found:
            found[recipe.key] = Candidate(recipe, promise + reason(recipe) - PER_SIZE * recipe.size, screened)

    looking, untouched = True, 0.0
    for recipe in {recipe.key: recipe for recipe in recipes}.values():
        screened = look(recipe) if looking else None
        looking = screened is not None
        if screened is None and not reason(recipe):
            continue
        width = untouched if screened is None else _width(screened)
        screened = screened or Screened(recipe, why="not screened")
        if not recipe.changes:
            untouched = width
        for place, (variant, cost) in enumerate(
            sorted(_variants(patient, changes, screened), key=lambda pair: pair[1])
        ):
            add(variant, width - cost - AGAIN * place, screened)
    for change in changes:
        if _family(change) in LOOP and change.remedy != "learning_rate":
            add(Recipe.of(change), untouched, None)
    today = usual(patient, ground_of(patient, changes), changes)
    for recipe in today:
        add(recipe, untouched, None)
    network = _network(today[0])
    ranked = [replace(each, usual=bool(network) and _network(each.recipe) == network) for each in found.values()]
    return sorted(ranked, key=lambda candidate: -candidate.promise)


def _network(recipe: Recipe) -> tuple[Change, ...]:
    """Its changes apart from those of the loop."""
    return tuple(change for change in recipe.changes if _family(change) not in LOOP)


def _width(screened: Screened) -> float:
    """What is not known counts by how much is changed, up to a wide one: real steps will tell."""
    if isnan(screened.width):
        return min(1.0 + UNKNOWN * len(screened.recipe.changes), WIDE)
    return max(min(screened.width, WIDE), -WIDE)


def _variants(patient: Patient, changes: Sequence[Change], screened: Screened) -> list[tuple[Recipe, float]]:
    """The recipe at the user's rate, at the window's, and by the optimizers proposed; with what stands against it."""
    recipe, start = screened.recipe, screened.start
    known = not screened.why and start > 0 and isfinite(start)
    near = known and start / NEAR <= patient.lr <= start * NEAR
    outside = known and not screened.low <= patient.lr <= 2 * screened.stable
    found = [(recipe, 1.0 if outside else 0.0)]
    if known and not near:
        found.append((recipe.with_change(Change("learning_rate", {"lr": float(f"{start:.2g}")})), 0.0))
    if not known and not recipe.changes:
        found += [(Recipe.of(change), 0.5) for change in changes if change.remedy == "learning_rate"]
    return found + [(recipe.with_change(change), 0.0) for change in changes if change.remedy == "optimizer"]


def _pairs(ground: Recipe, changes: Sequence[Change]) -> Iterator[Recipe]:
    for place, first in enumerate(changes):
        for second in changes[place + 1 :]:
            if _family(first) != _family(second):
                yield joined(joined(ground, first), second)


def _family(change: Change) -> str:
    return find_remedy(change.remedy).family
