"""How far a trial came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import inf, isfinite
from typing import Any

#: Share of the steps, counted from the last, whose losses are averaged: single batches scatter.
TAIL = 0.25
#: Losses that a mean is taken of at least.
FEWEST = 5


@dataclass(frozen=True, slots=True)
class Outcome:
    """One recipe on one seed after ``steps`` steps."""

    steps: int  #: taken; fewer than asked for where it ended
    losses: tuple[float, ...]  #: of each step's batch, before the step
    metric: float | None  #: the user's, where there is one and it gives a number
    ended: str = ""  #: "diverged", or what was raised; empty while it goes on
    seconds: float = 0.0
    before: float | None = None  #: the metric before the first step, of a trial without changes

    @property
    def loss(self) -> float:
        """Mean of the last losses; inf where the trial ended."""
        if self.ended or not self.losses:
            return inf
        tail = self.losses[-max(FEWEST, round(TAIL * len(self.losses))) :]
        mean = sum(tail) / len(tail)
        return mean if isfinite(mean) else inf

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Outcome:
        """From what :meth:`to_dict` gave, and JSON carried."""
        losses = tuple(float(loss) for loss in data["losses"])
        return cls(
            int(data["steps"]), losses, data["metric"], str(data["ended"]), float(data["seconds"]), data["before"]
        )
