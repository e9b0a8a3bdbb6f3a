"""Which steps are worth keeping for good: those where something went wrong, and their neighbours."""

from __future__ import annotations

import math
from collections import deque
from typing import Final

import numpy as np

from ..schema.record import Event, Step

#: Ticks on either side of an anomaly that are kept with it: what led to it, and what came of it.
NEIGHBOURS: Final = 3

#: A loss this many mean deviations off its running mean is a jump.  A normal distribution is beyond 8 mean
#: deviations (6.4 standard ones) once in 10^10 steps, so ordinary noise marks nothing.
_JUMP: Final = 8.0
_MEMORY: Final = 0.05  # weight of the newest loss in the running mean: about the last 20 steps
_WARM_UP: Final = 20  # losses seen before a jump can be told

#: Events that say nothing about the step at which they were written.
ROUTINE: Final = frozenset({"cost"})


def broken(step: Step) -> bool:
    """Whether a step was held back, or its loss or a gradient was not finite."""
    if step.skipped or (step.loss is not None and not math.isfinite(step.loss)):
        return True
    return step.gradients is not None and bool(np.count_nonzero(step.gradients["non_finite"]))


class Marker:
    """Follows the rows of a run in the order in which they come, and says which ticks to keep."""

    def __init__(self) -> None:
        self._losses: dict[int, tuple[int, float, float]] = {}  # by optimizer: seen, running mean, mean deviation
        self._anomalies: deque[int] = deque(maxlen=64)  # recent ticks; rows of one batch come in any order

    def mark(self, row: Step | Event) -> bool:
        """Whether ``row`` is itself an anomaly, so that its neighbours have to be kept too."""
        if isinstance(row, Event):
            anomalous = row.kind not in ROUTINE
        else:
            jumped = self._jumped(row)
            anomalous = jumped or broken(row)
        if anomalous:
            self._anomalies.append(row.tick)
        return anomalous

    def near(self, tick: int) -> bool:
        """Whether an anomaly is known within :data:`NEIGHBOURS` ticks."""
        return any(abs(tick - other) <= NEIGHBOURS for other in self._anomalies)

    def _jumped(self, step: Step) -> bool:
        if step.loss is None or not math.isfinite(step.loss):
            return False
        seen, mean, deviation = self._losses.get(step.optimizer, (0, step.loss, 0.0))
        off = abs(step.loss - mean)
        limit = _JUMP * deviation
        jumped = seen >= _WARM_UP and off > limit
        weight = max(_MEMORY, 1 / (seen + 1))
        # A jump moves the mean like any loss, or a new level would count as a jump for ever; the deviation
        # learns of it only up to the limit, or one spike would hide the next.
        learnt = min(off, limit) if jumped else off
        self._losses[step.optimizer] = (
            seen + 1,
            mean + weight * (step.loss - mean),
            deviation + weight * (learnt - deviation),
        )
        return jumped
