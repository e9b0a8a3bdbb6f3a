"""When to look closely: dense at the start, then within a budget of time, and again after a sudden change."""

from __future__ import annotations

from dataclasses import dataclass

#: Seconds that close looks may take in all before the share below binds.  A look at a small network takes a few
#: milliseconds, so a script of a few seconds is seen closely throughout; a long run never notices it.
ALLOWANCE = 0.15
#: Share of the run's time that close looks may take beyond the allowance: with the statistics of every step (about
#: 1% of a step) it leaves the whole below 2%.
SHARE = 0.003
#: Looks that are due whatever they cost: the initialisation, and the state after the first two updates, which tells
#: what was there from the start from what a step did.
ALWAYS = 3
#: Growth from one close look to the next while the budget lasts: steps 0, 1, 2, 3, 5, 7, 9, 12, 15, 19, ...
GROWTH = 1.25
#: After a sudden change, so many looks may be taken ahead of the budget in a row.
ALARMS = 3


@dataclass(slots=True)
class Schedule:
    """Decides, at the end of each step, whether the next one is looked at closely."""

    allowance: float = ALLOWANCE
    share: float = SHARE
    looks: int = 0
    spent: float = 0.0  #: seconds taken by close looks so far, but for the first
    _next: int = 0
    _alarms_left: int = ALARMS
    _alarmed: bool = False  # the look that is coming was asked for by an alarm

    def due(self, step: int, elapsed: float, alarm: bool = False) -> bool:
        """Whether step number ``step`` deserves a close look, ``elapsed`` seconds into the run."""
        if self.looks < ALWAYS:
            return True
        if step < self._next or not self._affordable(elapsed):
            self._alarmed = alarm and self._alarms_left > 0
            self._alarms_left -= self._alarmed
            return self._alarmed
        return True

    def _affordable(self, elapsed: float) -> bool:
        average = self.spent / self.looks
        return self.spent + average <= self.allowance + self.share * elapsed

    def looked(self, step: int, seconds: float) -> None:
        """Books a close look at ``step`` that took ``seconds``."""
        if not self._alarmed:
            self._alarms_left = min(ALARMS, self._alarms_left + 1)
        self._alarmed = False
        if self.looks:  # the first look pays for imports and for finding the models' names, which no other does
            self.spent += seconds
        self.looks += 1
        self._next = max(self._next, step + 1, int(step * GROWTH) + 1)
