"""Optimizers side by side, as the report shows them.  Rates are of the fastest group, losses those of the batches."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from .report import json_ready

VERSION = 1
#: Mean and the ends of a 95% interval.
Interval = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class TrialRow:
    """One rate of a search, over all its seeds."""

    lr: float
    loss: float  #: mean of the last losses; inf where a training ended
    ended: str = ""  #: why, or ""


@dataclass(frozen=True, slots=True)
class Curve:
    """The loss along the training, in blocks of steps."""

    steps: tuple[int, ...]  #: the end of each block
    mean: tuple[float, ...]  #: over the steps of the block and the seeds
    low: tuple[float, ...]  #: of the seeds' means
    high: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class NoiseRow:
    """The gradient noise scale after so many steps, in samples."""

    step: int
    signal: float  #: ‖G‖²
    noise: float  #: tr Σ, of one sample
    value: float | None  #: B_simple; None where ‖G‖² cannot be told from 0
    low: float  #: 95% interval
    high: float


@dataclass(frozen=True, slots=True)
class OptimizerRow:
    """One optimizer."""

    name: str
    why: str = ""  #: why it was left out, or does not train
    lr: float | None = None  #: chosen
    at_edge: bool = False  #: it is the lowest or highest that was tried
    steps: int = 0  #: of each training
    cost: int = 1  #: of a step, in gradients of one batch
    window: dict[str, Any] = field(default_factory=dict)  #: low, stable, start, why
    trial_steps: int = 0  #: of each training of the search
    start: float | None = None  #: the loss before them
    trials: tuple[TrialRow, ...] = ()
    band: tuple[float, float] | None = None  #: good rates: see ComparisonReport.kept
    band_ends: tuple[bool, bool] = (False, False)  #: whether a worse rate was tried below, and above
    decades: float | None = None  #: the width of the band
    loss: tuple[float, ...] = ()  #: mean of the last losses, for each seed; inf where it ended
    interval: Interval | None = None  #: of the loss; None where a training ended
    behind: Interval | None = None  #: its loss over that of the best (or less it), on the same seeds; None for the best
    metric: tuple[float | None, ...] = ()
    ended: tuple[str, ...] = ()
    curve: Curve | None = None
    seconds: float | None = None  #: of a step, median
    updates: tuple[tuple[int, float], ...] = ()  #: step, median ‖Δw‖/‖w‖ over weights and seeds
    update: float | None = None  #: of the last quarter
    margin: float | None = None  #: limit of stability over the rate, at the end; median over the seeds
    noise: tuple[NoiseRow, ...] = ()  #: on the first seed
    spent: dict[str, float] = field(default_factory=dict)  #: gradients of one batch, by what for


@dataclass(frozen=True, slots=True)
class LargerBatch:
    """What a batch ``times`` as large needs to the same loss, in units of what the batch now needs."""

    times: float
    size: int
    steps: float
    samples: float


@dataclass(frozen=True, slots=True)
class Duel:
    """SGD beside full-batch gradient descent, after equal effort."""

    equal: str  #: "steps" or "gradients"
    amount: int  #: of them
    sgd: float  #: mean loss
    gd: float
    gd_steps: int
    sgd_behind: Interval  #: SGD's loss over that of GD (or less it), on the same seeds


@dataclass(frozen=True, slots=True)
class ComparisonReport:
    """Everything that is shown and written."""

    target: str
    headline: str
    steps: int  #: the user's budget T
    seeds: tuple[int, ...]  #: of the trainings to the end
    search_seeds: tuple[int, ...]
    batch: int  #: samples in a batch
    population: int | None  #: samples in a round of batches; None where it has no end
    kept: float  #: share of the best rate's fall of the loss that a good rate keeps
    ratios: bool  #: means of losses are geometric and comparisons ratios; else arithmetic, and differences
    rows: tuple[OptimizerRow, ...]  #: the lowest loss first
    noise_of: str | None  #: the optimizer whose noise is spoken of
    larger: tuple[LargerBatch, ...]  #: by the noise at the start
    duels: tuple[Duel, ...]
    says: tuple[str, ...]  #: what the noise and the duels mean
    interrupted: bool = False

    @property
    def cost(self) -> float:
        """In full training runs."""
        return sum(sum(row.spent.values()) for row in self.rows) / self.steps

    def to_dict(self) -> dict[str, Any]:
        """As ``--json`` writes it (``comparison.schema.json``); non-finite numbers become strings."""
        data = {"schema": VERSION, "kind": "compare", **asdict(self), "training_runs": self.cost}
        return json_ready(data)  # type: ignore[no-any-return]
