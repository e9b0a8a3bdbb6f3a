"""The status line while the script runs: what the record says so far."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from .place import records_of

if TYPE_CHECKING:
    from gradclinic.store import Glimpse

#: How often the record is looked at, in seconds; people do not read faster.
LOOK_SECONDS = 0.5
#: Losses in the small curve.
LOSSES = 64

#: Events that are a sign of trouble, and the condition or cause that they are a sign of.
ALARMS = {
    "non_finite_origin": "not a number",
    "wrong_backward": "wrong gradient",
    "clip_before_unscale": "clipped before unscaling",
    "step_after_scaler": "stepped twice",
    "guard": "the guard acted",
}


@contextmanager
def status_line(path: Path, *, shown: bool) -> Iterator[Callable[[], None]]:
    """Gives a function to call now and then; it draws the state of the run that is recorded at ``path``.

    Nothing is drawn before the first step, nor where stderr is not a terminal.  A failure ends the line, not the run.
    """
    if not shown or sys.stderr is None or not sys.stderr.isatty():
        yield lambda: None
        return
    with ExitStack() as stack:
        line = _Line(path, stack)

        def idle() -> None:
            try:
                line.look()
            except Exception:
                stack.close()
                line.finished = True

        yield idle


class _Line:
    def __init__(self, path: Path, stack: ExitStack) -> None:
        self.finished = False
        self._path = path
        self._stack = stack
        self._next = time.monotonic() + LOOK_SECONDS
        self._losses: deque[float] = deque(maxlen=LOSSES)
        self._update: Callable[[Glimpse], None] | None = None
        self._poll: Callable[[], Glimpse | None] | None = None

    def look(self) -> None:
        if self.finished or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + LOOK_SECONDS
        if self._poll is None:
            records = records_of(self._path)
            if not records:
                return
            from gradclinic.store import tail

            self._poll = tail(records[0]).poll
        glimpse = self._poll()
        if glimpse is None or glimpse.tick is None:
            return
        if self._update is None:
            self._update = self._open()
        self._update(glimpse)

    def _open(self) -> Callable[[Glimpse], None]:
        from gradclinic.show.live import Progress, StatusLine

        line = self._stack.enter_context(StatusLine(sys.stderr))

        def update(glimpse: Glimpse) -> None:
            if glimpse.loss is not None:
                self._losses.append(glimpse.loss)
            line.update(
                Progress(
                    step=(glimpse.tick or 0) + 1,
                    planned=glimpse.steps_planned,
                    per_second=glimpse.steps_per_second,
                    losses=tuple(self._losses),
                    alarms=tuple(dict.fromkeys(ALARMS[event.kind] for event in glimpse.events if event.kind in ALARMS)),
                )
            )

        return update
