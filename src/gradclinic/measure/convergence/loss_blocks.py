"""Does the loss still fall?  Means over blocks of a stretch of steps, and the fall from half to half."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import torch
from torch import Tensor

#: Blocks of a stretch: twelve a half, so that their spread is known to some 20% and their neighbours hardly correlate.
BLOCKS = 24
#: Standard errors between a fall and no fall: with some twenty verdicts a run, 2.5 lets chance decide one run in ten
#: to the extent of asking for more steps, and one in a hundred wrongly.
ERRORS = 2.5


@dataclass(frozen=True, slots=True)
class Trend:
    """What the loss did in a stretch, in units of the loss."""

    first: float  #: of the first block
    mean: float  #: over the second half
    fall: float  #: from the first half's mean to the second's, negative where it rose
    error: float  #: standard error of the fall
    finite: bool

    def falls(self, by: float) -> bool:
        """Whether the fall is larger than ``by``, beyond chance."""
        return self.fall - ERRORS * self.error > by

    def rises(self, by: float) -> bool:
        """Whether the loss rose by more than ``by``, beyond chance."""
        return -self.fall - ERRORS * self.error > by

    def flat(self, by: float) -> bool:
        """Whether it neither fell nor rose by more than ``by``, beyond chance."""
        return abs(self.fall) + ERRORS * self.error <= by


class LossBlocks:
    """Collects the losses of ``length`` steps on their own device: reading them waits for it, adding does not."""

    def __init__(self, length: int) -> None:
        self._length, self._seen = length, 0
        self._sums: Tensor | None = None
        self._counts = [0] * BLOCKS

    def add(self, loss: Tensor) -> None:
        """One step's loss, a tensor with one element."""
        if self._sums is None:
            self._sums = torch.zeros(BLOCKS, dtype=torch.float32, device=loss.device)
        place = min(self._seen * BLOCKS // self._length, BLOCKS - 1)
        self._sums[place] += loss.detach().reshape(())
        self._counts[place] += 1
        self._seen += 1

    def trend(self) -> Trend:
        """Of a full stretch; waits for the device."""
        assert self._sums is not None, "no loss was added"
        means = self._sums.double().cpu() / torch.tensor(self._counts, dtype=torch.float64)
        first, second = means[: BLOCKS // 2], means[BLOCKS // 2 :]
        fall = float(first.mean() - second.mean())
        # The noise from differences of neighbours, which a slow fall does not enter.
        noise = float((means[1:] - means[:-1]).square().mean() / 2)
        # Neighbours that move together (the weights wander) leave less noise in their differences than in the halves.
        spread = float((first.var() + second.var()) / 2)
        error = sqrt(max(noise, spread) * 2 / (BLOCKS // 2))
        return Trend(float(means[0]), float(second.mean()), fall, error, bool(means.isfinite().all()))
