"""A search over several settings, as its report shows it.

A setting is ``lr`` (of the fastest group), ``momentum`` (beta1 of Adam and its kin), ``weight-decay`` or ``schedule``.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from .report import json_ready
from .tuning import RangeCurve

VERSION = 1

#: By name: a number, or the name of a schedule.
Settings = dict[str, float | str]


@dataclass(frozen=True, slots=True)
class TriedRow:
    """One trial."""

    number: int
    settings: Settings
    reported: tuple[tuple[int, float], ...]  #: steps, and the metric or the loss after them; nan where it ended
    steps: int  #: taken
    fate: str  #: "" for a whole trial, "pruned" for one that was stopped as hopeless, or why it ended
    value: float | None  #: of a whole trial


@dataclass(frozen=True, slots=True)
class FinalRow:
    """Settings over the seeds of a comparison with the user's own."""

    settings: Settings  #: none: the user's own
    metric: tuple[float | None, ...]
    loss: tuple[float, ...]  #: mean of the last losses; inf where it ended
    ended: tuple[str, ...]  #: "" or why
    gain: tuple[float, float, float] | None  #: over the user's own, in pairs: mean and 95% interval; None for those


@dataclass(frozen=True, slots=True)
class Finals:
    """Settings that trained on the same seeds."""

    steps: int
    seeds: tuple[int, ...]
    by_metric: bool
    rows: tuple[FinalRow, ...]  #: the user's own last


@dataclass(frozen=True, slots=True)
class SearchReport:
    """Everything that is shown and written."""

    target: str
    headline: str
    steps: int  #: the user's budget T
    names: tuple[str, ...]  #: of the settings that were searched
    space: dict[str, Any]  #: lowest and highest value of each, or all there are
    own: Settings  #: the user's
    best: Settings | None  #: proven to be better than the user's own
    by_metric: bool  #: what the trials were judged by; False: the loss
    gain: tuple[float, float, float] | None  #: of the best candidate over the user's own, on seeds that chose nothing
    asked: int  #: trials
    trial_steps: int  #: of a whole trial
    trials: tuple[TriedRow, ...]
    finals: Finals | None  #: the best few trials, on fresh seeds
    proof: Finals | None  #: the best of those, on other fresh seeds
    window: dict[str, Any]  #: lr, low, stable, start, why; empty where the learning rate is not searched
    range_test: RangeCurve | None
    recipe: dict[str, Any] | None
    code: str = ""  #: lines for the user's own program
    spent: dict[str, float] = field(default_factory=dict)  #: gradients, by what for
    interrupted: bool = False

    @property
    def cost(self) -> float:
        """In full training runs."""
        return sum(self.spent.values()) / self.steps

    @property
    def candidate(self) -> Settings | None:
        """What was held against the user's own settings last; None where nothing came so far."""
        return self.proof.rows[0].settings if self.proof else None

    def to_dict(self) -> dict[str, Any]:
        """As ``--json`` writes it (``search.schema.json``); non-finite numbers become strings."""
        data = {"schema": VERSION, "kind": "search", **asdict(self), "training_runs": self.cost}
        return json_ready(data)  # type: ignore[no-any-return]
