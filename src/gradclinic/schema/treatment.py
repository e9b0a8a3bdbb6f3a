"""What a treatment tried and what it proved, as the report shows it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

ArmName = Literal["treated", "untreated", "random"]


@dataclass(frozen=True, slots=True)
class TrialRow:
    """One recipe over one or more seeds, all for the same steps."""

    remedy: str  #: the changes in words; for random arms those of the first seed
    changes: tuple[dict[str, Any], ...]  #: as in a recipe
    seeds: tuple[int, ...]
    metric: tuple[float | None, ...]  #: the user's, at the end of each
    loss: tuple[float, ...]  #: mean of the last losses of each; inf where it ended
    ended: tuple[str, ...]  #: "" or why it ended
    steps: int
    cost: float  #: steps of all seeds together
    curves: tuple[tuple[float, ...], ...] = ()  #: losses, step by step, of each seed
    interval: tuple[float, float] | None = None  #: 95%, of the gain over the untreated run
    arm: ArmName | None = None  #: in the proof


@dataclass(frozen=True, slots=True)
class ScreenRow:
    """What a recipe does to the window, without training."""

    remedy: str
    width: float  #: decades
    lr_min: float
    lr_max: float
    why: str  #: why it is not known


@dataclass(frozen=True, slots=True)
class TreatmentReport:
    """Everything that the report of a treatment has beside the check-up's."""

    cured: bool
    steps: int  #: the budget
    remedy: str = ""  #: of the recipe, in words
    recipe: dict[str, Any] | None = None  #: what won, whether proven or not
    code: str = ""  #: lines for the user's own program
    diff: str = ""  #: the same as a change of the user's own file, where that can be said
    by_metric: bool = True
    gain: tuple[float, float, float] | None = None  #: mean and 95% interval, over the untreated run
    over_random: tuple[float, float, float] | None = None  #: over random remedies
    head_start: bool = False  #: the untreated run learns too, only later
    proof: tuple[TrialRow, ...] = ()
    rounds: tuple[tuple[TrialRow, ...], ...] = ()
    screened: tuple[ScreenRow, ...] = ()
    refused: dict[str, str] = field(default_factory=dict)  #: what could not be applied, and why
    spent: dict[str, float] = field(default_factory=dict)  #: gradients, by what for
    interrupted: bool = False

    @property
    def cost(self) -> float:
        """In full training runs."""
        return sum(self.spent.values()) / self.steps

    def to_dict(self) -> dict[str, Any]:
        """The report's keys ``cured``, ``recipe``, ``trials`` and ``treatment``."""
        rows = [row for those in (*self.rounds, self.proof) for row in those]
        return {
            "cured": self.cured,
            "recipe": self.recipe,
            "trials": [asdict(row) for row in rows],
            "treatment": {
                "remedy": self.remedy,
                "code": self.code,
                "diff": self.diff,
                "by_metric": self.by_metric,
                "gain": self.gain,
                "over_random": self.over_random,
                "head_start": self.head_start,
                "screened": [asdict(row) for row in self.screened],
                "refused": self.refused,
                "spent": self.spent,
                "training_runs": self.cost,
                "interrupted": self.interrupted,
            },
        }
