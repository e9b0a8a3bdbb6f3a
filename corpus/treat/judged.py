"""One evaluated task beside its reference, as plain figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import fmean, median
from typing import Any

from .evaluate import recipe_of
from .references import best
from .row import Row

#: Points from the reference within which a task is cured; points by which a healthy one may lose.
CURED, WORSE = 5.0, 2.0


@dataclass(frozen=True, slots=True)
class Judged:
    """All that is said of one task."""

    name: str
    family: str
    sick: bool
    verdict: str  #: of the check-up
    reference: float
    untreated: float  #: means over the fresh seeds
    treated: float  #: likewise, with the recipe if it is claimed to cure, else as it is
    handed: float  #: with the recipe that was handed over, claimed or not
    by_chance: float
    claimed: bool
    holds: bool  #: better than untreated on each of the fresh seeds
    seeds_cured: int  #: of the fresh seeds
    recipe: str
    rank: int | None  #: 1: no smaller recipe is known that cures; None where no claimed recipe does
    gradients: float  #: of the treatment, in units of one full training
    seconds: float | None  #: likewise; None where no training went to its end

    @property
    def cured(self) -> bool:
        """On the mean of the fresh seeds."""
        return self.treated >= self.reference - CURED

    @property
    def cured_unproven(self) -> bool:
        """Whether the recipe would have cured, had it been claimed to."""
        return not self.cured and self.handed >= self.reference - CURED

    @property
    def cured_by_chance(self) -> bool:
        """By random search at the same cost."""
        return self.by_chance >= self.reference - CURED

    @property
    def worse(self) -> bool:
        """Whether the treatment did harm."""
        return self.treated < self.untreated - WORSE

    @property
    def worse_unproven(self) -> bool:
        """Whether the recipe would do harm to whoever uses it unclaimed."""
        return not self.worse and self.handed < self.untreated - WORSE

    def to_dict(self) -> dict[str, Any]:
        """As plain data, rounded."""
        return {key: round(item, 3) if isinstance(item, float) else item for key, item in asdict(self).items()}


def judge(row: Row, data: dict[str, Any], reference: dict[str, Any]) -> Judged:
    """``data`` is what the evaluation kept, ``reference`` the task's entry in references.json."""
    treatment, runs = data["treatment"], data["runs"]
    goal = fmean(best(reference)["metrics"])
    before, handed = ([run["metric"] for run in runs[arm]] for arm in ("untreated", "handed"))
    after = handed if treatment["cured"] else before
    recipe = recipe_of(treatment["changes"])
    chance = [run["metric"] for run in data["chance"]["runs"]]
    return Judged(
        name=row.name,
        family=row.family,
        sick=row.sick,
        verdict=treatment["verdict"],
        reference=goal,
        untreated=fmean(before),
        treated=fmean(after),
        handed=fmean(handed),
        by_chance=fmean(chance),
        claimed=treatment["cured"],
        holds=all(own > other for own, other in zip(after, before, strict=True)),
        seeds_cured=sum(own >= goal - CURED for own in after),
        recipe=recipe.says(),
        rank=_rank(recipe.size, reference, goal) if treatment["cured"] and fmean(after) >= goal - CURED else None,
        gradients=sum(treatment["spent"].values()) / row.steps,
        seconds=_in_trainings(treatment["seconds"], [*runs["untreated"], *runs["handed"]], row.steps),
    )


def _in_trainings(seconds: float, runs: list[dict[str, Any]], steps: int) -> float | None:
    """In units of a training of all ``steps``, an untreated one if there is: one that broke took hardly any time."""
    whole = [run["seconds"] for run in runs if run["steps"] >= steps][:3]
    return seconds / median(whole) if whole else None


def _rank(size: int, reference: dict[str, Any], goal: float) -> int:
    """Place of a recipe of ``size`` among those of the references that cure; equals share the better place."""
    return 1 + sum(other < size for other in _sizes(reference["recipes"].values(), goal))


def _sizes(tries: Sequence[dict[str, Any]] | Any, goal: float) -> list[int]:
    return [each["size"] for each in tries if each["size"] is not None and fmean(each["metrics"]) >= goal - CURED]
