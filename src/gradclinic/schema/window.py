"""The range of learning rates that can train a model, as a check-up measures it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

WindowState = Literal["inside", "below", "above", "empty"]


@dataclass(frozen=True, slots=True)
class Side:
    """One end of the window over several batches and seeds: the median, and the least and the largest measured."""

    median: float
    least: float
    largest: float


@dataclass(frozen=True, slots=True)
class Window:
    """Learning rates between ``low`` (slower ones arrive nowhere in the budget) and ``high`` (faster ones diverge).

    Several parameter groups keep the ratio of their rates; the numbers are those of the group with the largest.
    """

    lr: float  #: the user's
    low: Side
    high: Side
    steps: int  #: the budget T

    @property
    def empty(self) -> bool:
        """Whether no learning rate can train it in the budget."""
        return not self.low.median < self.high.median

    @property
    def state(self) -> WindowState:
        """Where the user's learning rate lies."""
        if self.empty:
            return "empty"
        if self.lr < self.low.median:
            return "below"
        return "above" if self.lr > self.high.median else "inside"

    def to_dict(self) -> dict[str, Any]:
        """As the JSON report has it."""
        return {
            "lr": [self.lr],
            "lr_min": self.low.median,
            "lr_max": self.high.median,
            "lr_min_range": [self.low.least, self.low.largest],
            "lr_max_range": [self.high.least, self.high.largest],
            "steps": self.steps,
            "state": self.state,
        }
