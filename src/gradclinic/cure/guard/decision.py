"""What to do about a step, from its loss and its gradient alone.  Pure: no torch, no clock."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from .losses import RunningLoss
from .norms import RunningNorm, Spike

Act = Literal["go", "clip", "skip", "roll back"]

#: Steps in a row with a gradient that is not finite before the weights are to blame and not the batches.  A batch
#: passes; weights for which a forward pass overflows stay.
BROKEN_IN_A_ROW = 10


@dataclass(frozen=True, slots=True)
class Reading:
    """One step, as all ranks together see it."""

    loss: float | None  #: None where no backward pass belongs to this step alone
    norm: float  #: of the gradient's finite elements
    broken: bool = False  #: the gradient has an inf or a nan
    weights_broken: bool = False
    fresh: bool = True  #: a backward pass has run since the last step
    way_back: bool = True  #: there is a state to go back to, the same on all ranks


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do, and why."""

    act: Act
    why: str = ""
    spike: Spike | None = None
    stuck: str = ""  #: why it would have gone back, where there is no way back


@dataclass(slots=True)
class Patient:
    """What is known of one optimizer's steps."""

    norms: RunningNorm = field(default_factory=RunningNorm)
    losses: RunningLoss = field(default_factory=RunningLoss)
    broken: int = 0  #: bad steps in a row

    @property
    def calm(self) -> bool:
        """Whether nothing speaks against the weights of now."""
        return self.broken == 0 and self.norms.spikes == 0 and self.losses.calm

    def judge(self, reading: Reading, *, by_loss: bool) -> Decision:
        """Takes in a step and decides.

        Args:
            reading: the step.
            by_loss: whether the loss may condemn it; not where several optimizers work on losses of their own, nor
                where the state to go back to is worse.
        """
        back = self._back(reading, by_loss)
        if back and reading.way_back:
            return Decision("roll back", back)
        if reading.broken:
            return Decision("skip", "the gradient is not finite", stuck=back)
        spike = self.norms.take(reading.norm)
        if spike is None:
            return Decision("go", stuck=back)
        return Decision("clip", "the gradient's norm is a spike", spike, stuck=back)

    def _back(self, reading: Reading, by_loss: bool) -> str:
        """Why to go back; empty where there is no reason."""
        self.broken = self.broken + 1 if reading.broken else 0
        if reading.weights_broken:
            return "a weight is not finite"
        if self.broken >= BROKEN_IN_A_ROW:
            return f"{BROKEN_IN_A_ROW} gradients in a row are not finite"
        loss = None if reading.broken else reading.loss
        gone = loss is not None and math.isfinite(loss) and self.losses.take(loss)
        return "the loss has run away" if gone and by_loss else ""
