"""The course of a treatment: screening, halving, proof."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from gradclinic.task import Target

from .candidates import Candidate, bases, candidates, proposals
from .halving import Result, finalists, halve
from .patient import Patient
from .proof import Proof, prove
from .purse import Purse
from .recipe import Recipe
from .remedy import CannotApply
from .screening import COST, Screened, screen
from .trials import Ward

#: Shares of the purse: what is looked at without training, and the rounds of trials; the proof gets the rest.
SCREENING, ROUNDS = 0.1, 0.56

#: Training runs that the first look at a proof takes at most; a second candidate is proven where the purse bears it.
ONE_PROOF = 0.3

Tell = Callable[[str, float], None]


@dataclass(slots=True)
class Course:
    """All that was tried."""

    screened: list[Screened] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)  #: recipe in words → why it cannot be applied
    rounds: list[list[Result]] = field(default_factory=list)
    winner: Recipe | None = None  #: None: nothing was better than doing nothing
    proof: Proof | None = None

    @property
    def cured(self) -> bool:
        """Whether the winner was proven."""
        return self.proof is not None and self.proof.cured


def screened_candidates(
    course: Course, target: Target, patient: Patient, purse: Purse, seed: int, tell: Tell
) -> list[Candidate]:
    """What is worth a trial, the promising first; each is screened on a fresh model as far as the purse bears it.

    The generators are the caller's to restore.
    """
    changes = proposals(patient)

    def look(recipe: Recipe) -> Screened | None:
        spent = purse.spent["screening"]
        if spent and spent + COST > SCREENING * purse.total:
            return None
        tell(f"screening: {recipe.says()}", 0.1 + 0.2 * spent / (SCREENING * purse.total))
        try:
            found = screen(target, recipe, seed, patient.batches)
        except CannotApply as error:
            course.refused[recipe.says()] = str(error)
            return Screened(recipe, why=str(error))
        purse.spend("screening", COST)
        course.screened.append(found)
        return found

    ranked = candidates(patient, changes, bases(patient, changes), look)
    return [candidate for candidate in ranked if candidate.recipe.says() not in course.refused]


def try_out(
    course: Course,
    ward: Ward,
    ranked: Sequence[Candidate],
    pool: Sequence[Recipe],
    purse: Purse,
    steps: int,
    seed: int,
    tell: Tell,
    constant: float | None = None,
) -> None:
    """Rounds and proof; notes each thing in ``course`` as soon as it is known.

    ``pool`` is what random remedies are drawn from, ``steps`` the budget, ``constant`` the loss of the best constant
    prediction.
    """
    if not ranked:
        return
    halve(course.rounds, ward, ranked, purse, ROUNDS, steps, seed, tell)
    # On other seeds than the recipe was chosen by.
    fresh = seed + len(course.rounds)
    for candidate in finalists(course.rounds):
        if course.proof is not None and not purse.bears(ONE_PROOF * steps):
            break
        course.winner = candidate.recipe
        course.proof = prove(ward, candidate.recipe, pool, purse, steps, fresh, tell, constant)
        if course.cured or not course.proof.hopeless:
            break
