"""One status line in the last row of the terminal while a child process writes above it.

The last row is taken out of the terminal's scroll region (DECSTBM), as apt's progress bar does, so the child's own
output, bars of tqdm included, scrolls above it untouched.  Every change is one write that saves the cursor, draws and
restores it, so that it falls between two writes of the child and leaves cursor, colours and text as they were.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from types import FrameType, TracebackType
from typing import Any, TextIO

from . import words

#: On fewer rows, one taken away is missed.
MIN_ROWS = 10

_SAVE, _RESTORE = "\x1b7", "\x1b8"
_WHOLE_SCREEN = "\x1b[r"
#: Index (one line down, scrolls at the bottom, keeps the column), then back up: makes a line below the cursor.
_ROOM_BELOW = "\x1bD\x1b[A"
#: From the line below the cursor to the end of the screen, without touching the cursor's own line.
_CLEAR_BELOW = f"{_SAVE}\x1b[B\r\x1b[J{_RESTORE}"
_SPARK_WIDTH = 12


@dataclass(frozen=True, slots=True)
class Progress:
    """What the status line shows; ``None`` where nothing is known."""

    step: int  #: steps done
    planned: int | None = None
    per_second: float | None = None
    losses: Sequence[float | None] = ()  #: recent ones, the last is the current
    gradient_norm: float | None = None
    alarms: Sequence[str] = ()  #: conditions that the run shows signs of, in words


class StatusLine:
    """A line below the output of another process.

    ``with StatusLine(stream) as line: line.update(Progress(...))``.  Does nothing where ``stream`` is not a terminal
    of at least :data:`MIN_ROWS` rows or ``TERM`` is "dumb" or unset.  Restores the terminal on leaving, also by an
    exception; follows changes of the window's size.  Never raises because of the terminal.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._descriptor = _terminal(stream)
        self._lock = threading.RLock()  # reentrant: the handler of SIGWINCH interrupts update()
        self._rows = self._columns = 0
        self._shown: str | Progress = ""
        self._handler: Any = None
        self._handles_resize = False
        self._unicode = (getattr(stream, "encoding", None) or "").lower().replace("-", "") == "utf8"
        self._colour = not os.environ.get("NO_COLOR")

    @property
    def active(self) -> bool:
        """Whether a line is being shown."""
        return self._rows > 0

    def __enter__(self) -> StatusLine:
        if self._descriptor is not None:
            with self._lock:
                self._set_up()
            if self.active and threading.current_thread() is threading.main_thread() and hasattr(signal, "SIGWINCH"):
                self._handler = signal.signal(signal.SIGWINCH, self._resized)
                self._handles_resize = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._handles_resize:
            # None: a handler that was not installed from Python cannot be put back.
            signal.signal(signal.SIGWINCH, signal.SIG_DFL if self._handler is None else self._handler)
            self._handles_resize = False
        with self._lock:
            if self.active:
                self._write(f"{_SAVE}{_WHOLE_SCREEN}\x1b[{self._rows};1H\x1b[2K{_RESTORE}")
                self._rows = 0

    def update(self, content: str | Progress) -> None:
        """Shows ``content``; call it a few times a second at most."""
        with self._lock:
            self._shown = content
            if not self.active:
                return
            # Polled as well as signalled: off the main thread no signal handler can be set.
            if _size(self._descriptor) != (self._rows, self._columns):
                self._set_up()
            if self.active:
                self._write(self._drawn())

    def _resized(self, number: int, frame: FrameType | None) -> None:
        with self._lock:
            if self.active:
                self._set_up()
                if self.active:
                    self._write(self._drawn())
        if callable(self._handler):
            self._handler(number, frame)

    def _set_up(self) -> None:
        """Takes the last row out of the scroll region, whatever it was before."""
        was_active = self.active
        rows, columns = _size(self._descriptor)
        self._rows, self._columns = (rows, columns) if rows >= MIN_ROWS else (0, 0)
        if not self.active and not was_active:
            return
        # Setting the region moves the cursor home, hence save and restore around it.  After a change of size
        # the old line may be anywhere below the cursor.
        begin = f"{_SAVE}{_WHOLE_SCREEN}{_RESTORE}{_ROOM_BELOW}" + (_CLEAR_BELOW if was_active else "")
        self._write(begin + (f"{_SAVE}\x1b[1;{rows - 1}r{_RESTORE}" if self.active else ""))

    def _drawn(self) -> str:
        width = self._columns - 1  # the last column would leave the cursor about to wrap
        if isinstance(self._shown, Progress):
            text = line_text(self._shown, width, unicode=self._unicode)
        else:
            text = words.plain(self._shown)[:width]
        text = text if self._unicode else words.ascii_only(text)[:width]
        style, end = ("\x1b[7m", "\x1b[0m") if self._colour else ("", "")
        return f"{_SAVE}\x1b[{self._rows};1H\x1b[0m{style}{text:<{width}}{end}\x1b[K{_RESTORE}"

    def _write(self, text: str) -> None:
        """One write of one string, so that the child's output is never cut in the middle of a sequence of ours."""
        if self._descriptor is None:
            return
        try:
            self._stream.flush()
            os.write(self._descriptor, text.encode("utf-8", "replace"))
        except (OSError, ValueError):
            # The terminal went away, or the stream was closed: there is nothing left to restore.
            self._descriptor = None
            self._rows = 0


def _terminal(stream: TextIO) -> int | None:
    """The descriptor of a terminal that understands cursor sequences."""
    try:
        if not stream.isatty() or os.environ.get("TERM", "dumb") == "dumb":
            return None
        return stream.fileno()
    except (OSError, ValueError, AttributeError):
        return None


def _size(descriptor: int | None) -> tuple[int, int]:
    """Rows and columns; zeros where they cannot be had."""
    try:
        columns, rows = os.get_terminal_size(-1 if descriptor is None else descriptor)
    except OSError:
        return 0, 0
    return rows, columns


def line_text(progress: Progress, width: int, *, unicode: bool = True) -> str:
    """The fields in one line of at most ``width`` characters; on a narrow terminal the least wanted go first."""
    of = f" of {progress.planned:,}" if progress.planned else ""
    # In the order in which they stand; the number says which are kept longest.
    pieces: list[tuple[int, str]] = [(6, "gradclinic"), (0, f"step {progress.step:,}{of}")]
    if progress.planned:
        pieces.append((7, _bar(progress.step / progress.planned, 12, unicode=unicode)))
    if progress.per_second is not None:
        pieces.append((5, f"{words.number(progress.per_second)} steps/s"))
    losses = [loss for loss in progress.losses if loss is not None]
    if losses:
        pieces.append((1, f"loss {words.number(losses[-1], 4)}"))
        if len(losses) > 2:
            pieces.append((4, words.sparkline(losses, _SPARK_WIDTH, unicode=unicode)))
    if progress.gradient_norm is not None:
        pieces.append((3, f"‖∇‖ {words.number(progress.gradient_norm)}"))
    if progress.alarms:
        pieces.append((2, "⚠ " + words.plain(", ".join(progress.alarms))))
    while len(pieces) > 1 and len(_joined(pieces, unicode=unicode)) > width:
        pieces.remove(max(pieces))
    return _joined(pieces, unicode=unicode)[: max(width, 0)]


def _joined(pieces: Sequence[tuple[int, str]], *, unicode: bool) -> str:
    text = " " + "  ".join(piece for _, piece in pieces)
    return text if unicode else words.ascii_only(text)


def _bar(fraction: float, width: int, *, unicode: bool) -> str:
    full = round(min(max(fraction, 0.0), 1.0) * width)
    done, rest = ("█", "░") if unicode else ("#", ".")
    return done * full + rest * (width - full)
