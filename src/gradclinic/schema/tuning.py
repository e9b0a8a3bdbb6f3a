"""A search for the learning rate, as its report shows it.  Rates are of the fastest group."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from .report import json_ready

VERSION = 1


@dataclass(frozen=True, slots=True)
class RangeCurve:
    """A range test: the loss of each step while the rate rises."""

    rates: tuple[float, ...]
    losses: tuple[float, ...]  #: of each step's batch, before the step
    smoothed: tuple[float, ...]
    suggestions: dict[str, float | None]  #: steepest, valley, minimum (a tenth of its rate)
    diverged: bool


@dataclass(frozen=True, slots=True)
class RateRow:
    """One rate over all replicates (seeds or folds), trained equally long."""

    lr: float
    metric: tuple[float | None, ...]
    loss: tuple[float, ...]  #: mean of the last losses; inf where it ended
    ended: tuple[str, ...]  #: "" or why
    interval: tuple[float, float, float] | None  #: mean of the values and its 95% interval; None where one ended


@dataclass(frozen=True, slots=True)
class RoundRows:
    """The rates that trained for equally many steps."""

    steps: int
    rows: tuple[RateRow, ...]  #: by rate


@dataclass(frozen=True, slots=True)
class TuningReport:
    """Everything that is shown and written."""

    target: str
    headline: str
    steps: int  #: the user's budget T
    lr: float | None  #: chosen; None while it is not known
    own: float  #: the user's
    by_metric: bool
    interval: tuple[float, float, float] | None  #: of the chosen one: mean and 95%
    plateau: tuple[float, ...]  #: rates that cannot be told from the best, neighbours on the grid
    at_edge: bool  #: the best is the lowest or highest rate of the grid
    replicates: int
    folds: int  #: 0: seeds
    window: dict[str, Any]  #: lr, low, stable, start, why
    range_test: RangeCurve | None
    rounds: tuple[RoundRows, ...]
    recipe: dict[str, Any] | None
    code: str = ""  #: lines for the user's own program
    spent: dict[str, float] = field(default_factory=dict)  #: gradients, by what for
    interrupted: bool = False

    @property
    def cost(self) -> float:
        """In full training runs."""
        return sum(self.spent.values()) / self.steps

    def to_dict(self) -> dict[str, Any]:
        """As ``--json`` writes it; non-finite numbers become strings."""
        data = {"schema": VERSION, "kind": "tune", **asdict(self), "training_runs": self.cost}
        return json_ready(data)  # type: ignore[no-any-return]
