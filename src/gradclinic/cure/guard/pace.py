"""When the state is kept: often enough to lose little, seldom enough to cost little."""

from __future__ import annotations

import time

#: Steps of any optimizer between two states, at least: more than it takes to trust one (``shelf.TRUSTED_AFTER``).
EVERY = 50
#: Of the run's time that keeping states may take: below what can be told from noise.
SHARE = 0.01


class Pace:
    """Counts steps and seconds since the last state."""

    def __init__(self) -> None:
        self.kept = 0  #: states so far
        self._due_now = True
        self._steps = 0
        self._seconds = 0.0  # that the last one took
        self._when = 0.0
        self._stopped = False

    def due(self) -> bool:
        """Called at each step; whether it is time for a state."""
        self._steps += 1
        if self._stopped or self._due_now:
            return self._due_now and not self._stopped
        return self._steps >= EVERY and time.perf_counter() - self._when >= self._seconds / SHARE

    def took(self, seconds: float) -> None:
        """A state has been kept, in so many seconds."""
        self.kept += 1
        self._steps, self._seconds, self._due_now = 0, seconds, False
        self._when = time.perf_counter()

    def hurry(self) -> None:
        """The states so far are of no use: the next one is due at once."""
        self._due_now = True

    def stop(self) -> None:
        """There will be no states."""
        self._stopped = True
