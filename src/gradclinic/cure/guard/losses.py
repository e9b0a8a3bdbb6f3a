"""When a loss has run away.  Pure."""

from __future__ import annotations

import itertools
import math
import statistics
from dataclasses import dataclass, field

#: Losses before the first judgement; their median is the level.  One batch may be far off by chance.
WARM_UP = 10
#: Weight of the newest loss in the level and its noise: the last 20 steps, as in ``store.marks``.
NEWEST = 0.05
#: Times its noise that a loss must be above its level, and the part of everything learned so far that must be lost:
#: batch noise, heavy tails included, stays below ten; and a loss of 1e-6 that becomes 1e-2, as at the edge of stability
#: (Cohen et al. 2021), has lost nothing.
NOISE = 10.0
LOST = 0.25
#: The excess that is too much: 25 steps in a row at twice the level, or 5 at 32 times and more (a one-sided cumulative
#: sum, Page 1954, of log2 of the excess).  Large first steps that come back ("catapults", Lewkowycz et al. 2020) stay
#: below it, and so does one batch, however bad.
TOO_MUCH = 25.0
MOST = 5.0  #: that one step can add
#: Losses after which a level that stays high is the one to compare with: the task has changed.
LONG = 1000


@dataclass(slots=True)
class RunningLoss:
    """Level and noise of one optimizer's loss, and for how long and how far it has been above them.

    The noise is twice the mean fall from one loss to the next, 0 for a rise: noise falls as often as it rises, and a
    loss that runs away does not fall.
    """

    first: list[float] = field(default_factory=list)
    level: float = 0.0
    noise: float = 0.0
    start: float = 0.0
    best: float = 0.0  #: lowest level so far
    excess: float = 0.0
    last: float = 0.0  #: that was not high
    worse: int = 0  #: losses in a row whose level was far above the best

    @property
    def known(self) -> bool:
        """Whether enough losses have been seen to judge."""
        return len(self.first) >= WARM_UP

    @property
    def calm(self) -> bool:
        """Whether the weights are worth going back to: the loss is not high, and its level not far above the best."""
        return self.excess == 0 and not self._far()

    def high(self, loss: float) -> bool:
        """Whether a loss is out of proportion."""
        return self.known and loss > self.level + self._unit(self.level)

    def take(self, loss: float) -> bool:
        """Takes in a finite loss; whether it has run away."""
        if not self.known:
            self.first.append(loss)
            self.level = self.start = self.best = statistics.median(self.first)
            falls = [max(0.0, left - right) for left, right in itertools.pairwise(self.first)]
            self.noise = 2 * statistics.fmean(falls or [0.0])
            self.last = loss
        elif self.high(loss):
            unit = self._unit(self.level)
            above = (loss - self.level) / unit if unit > 0 else math.inf
            self.excess += min(math.log2(1 + above), MOST)
        else:
            self.excess = 0.0
            self.noise += NEWEST * (2 * max(0.0, self.last - loss) - self.noise)
            self.last = loss
            self.level += NEWEST * (loss - self.level)
            self.worse = self.worse + 1 if self._far() else 0
            if self.level < self.best or self.worse >= LONG:
                self.best, self.worse = self.level, 0
        return self.excess >= TOO_MUCH

    def _unit(self, level: float) -> float:
        """How far above a level a loss must be to count as high."""
        return max(abs(level), NOISE * self.noise, LOST * abs(self.start - self.best))

    def _far(self) -> bool:
        return self.known and self.level > self.best + self._unit(self.best)
