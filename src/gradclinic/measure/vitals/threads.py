"""One helper thread beside the calling one, and the choice between one thread and two, by measurement.

Not numba's own threads: they may come from OpenMP, and a process that forks after OpenMP has started (a DataLoader)
hangs in its children.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from statistics import median
from typing import Final

Job = Callable[[], None]
Reply = SimpleQueue[BaseException | None]

#: Every so many calls the way that is not in use gets a trial; the wait doubles each time that it loses again,
#: because a lost trial on a busy machine costs several times what the better way does.
_FIRST_WAIT: Final = 8
_LONGEST_WAIT: Final = 512
#: The median of so many costs is taken, so that one interrupted call does not change the way.
_REMEMBERED: Final = 5
#: The second way takes a core from somebody else, and costs are noisy: it has to be better by a fifth.
_CLEARLY: Final = 0.8


class Helper:
    """A thread that runs jobs beside the caller."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[tuple[Job, Reply]] = SimpleQueue()
        self._busy = threading.Lock()
        self._thread: threading.Thread | None = None

    def run(self, here: Job, there: Job) -> bool:
        """Runs ``here`` on the calling thread and ``there`` on the helper, and waits for both.

        Returns:
            False, with neither started, where the helper serves another caller or cannot be started.

        Raises:
            BaseException: what either job raised.
        """
        if not self._busy.acquire(blocking=False):
            return False
        try:
            if not self._alive():
                return False
            reply: Reply = SimpleQueue()
            self._jobs.put((there, reply))
            try:
                here()
            finally:
                error = reply.get()
        finally:
            self._busy.release()
        if error is not None:
            raise error
        return True

    def _alive(self) -> bool:
        if self._thread is None:
            thread = threading.Thread(target=self._work, name="gradclinic-vitals", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # no more threads, or the interpreter is shutting down
                return False
            self._thread = thread
        return True

    def _work(self) -> None:
        while True:
            job, reply = self._jobs.get()
            try:
                job()
                reply.put(None)
            except BaseException as error:
                reply.put(error)
            del job, reply  # a job holds tensors; do not keep them until the next one comes


class Choice:
    """Learns which of two ways is cheaper, from the costs that it is told; in doubt the first."""

    def __init__(self) -> None:
        self._costs: tuple[deque[float], deque[float]] = (deque(maxlen=_REMEMBERED), deque(maxlen=_REMEMBERED))
        self._wait = self._left = _FIRST_WAIT

    @property
    def best(self) -> int:
        """0 or 1: the cheaper way so far."""
        first, second = self._costs
        return int(bool(first and second) and median(second) < _CLEARLY * median(first))

    def next(self) -> int:
        """0 or 1: the way to go this time."""
        for way, costs in enumerate(self._costs):
            if not costs:
                return way
        self._left -= 1
        return self.best if self._left > 0 else 1 - self.best

    def tell(self, way: int, cost: float) -> None:
        """Takes the cost of one call, in any unit that is the same for both ways."""
        before = self.best
        trial = all(self._costs) and way != before
        if trial:
            self._costs[way].clear()  # what the other way cost long ago says little about now
        self._costs[way].append(cost)
        if self.best != before:
            self._wait = self._left = _FIRST_WAIT
        elif trial:
            self._wait = self._left = min(2 * self._wait, _LONGEST_WAIT)


def cores() -> int:
    """Processors that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except (AttributeError, OSError):  # not on this platform
        return os.cpu_count() or 1
