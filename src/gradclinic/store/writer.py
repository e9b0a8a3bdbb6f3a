"""Takes rows from the training thread and writes them from a thread of its own."""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import os
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from ..schema.record import Ending, Event, Row, RunInfo
from .backlog import Backlog
from .database import TRANSACTION, Database
from .tables import Cells

MAX_BYTES: Final = 64 << 20
_BACKLOG: Final = 64 << 20  # bytes in memory: a minute of a 12M-parameter model's rows while a disk stalls
_SPACING: Final = 0.02  # seconds between two urgent commits: a run where every step is NaN must not thrash
_LONGEST_PAUSE: Final = 5.0  # seconds between tries while the disk fails
_LAST_TRIES: Final = 2.0  # seconds for the last rows where the disk fails, then only the ending is tried
_CLOSING: Final = 10.0  # seconds that close() waits for the disk before it gives up


class Writer:
    """A :class:`gradclinic.schema.record.Sink` that writes one record.

    ``put`` may be called from any thread and from signal handlers.  Everything is committed within
    ``flush_seconds``, and at once after an event or a step that is not finite.  A commit survives the death of
    the process.  After ``os.fork`` the child's writer does nothing.  Rows must not be changed after ``put``.

    Args:
        path: the file to create.
        info: the run; it is on disk when the constructor returns.
        max_bytes: what file and log stay below, give or take a quarter; from 1 MiB up.
        flush_seconds: how long a row may stay in memory.
        on_failure: told once, in one line, when the disk fails, when rows could not be stored and when rows
            were given up.  It is called from the writer's thread.

    Raises:
        UserError: where the file cannot be created.
    """

    def __init__(
        self,
        path: Path,
        info: RunInfo,
        *,
        max_bytes: int = MAX_BYTES,
        flush_seconds: float = 0.1,
        on_failure: Callable[[str], None] | None = None,
    ) -> None:
        self.path = Path(path).absolute()  # a script may change its folder
        self._max_bytes = max(max_bytes, 1 << 20)
        self._flush_seconds = flush_seconds
        self._on_failure = on_failure
        self._told: set[str] = set()
        self._backlog = Backlog(_BACKLOG)
        self._unwritten: list[Cells] = []
        self._waiting: deque[threading.Lock] = deque()  # who waits in flush(); released when it is on disk
        self._doorbell = threading.Lock()  # held while there is nothing urgent
        self._doorbell.acquire()
        self._closing = False
        self._inert = False
        self._last_tick = 0
        self._drained_at = 0.0
        self._ending: Ending | None = None
        self._database = Database(self.path, info, self._max_bytes)
        self._thread = threading.Thread(target=self._run, name="gradclinic-store", daemon=True)
        self._thread.start()
        _live.add(self)

    @property
    def dropped(self) -> int:
        """Rows given up so far because the disk did not keep up."""
        return self._backlog.dropped

    def put(self, row: Row) -> None:
        """Hands a row over.  Returns at once, never raises, never waits for the disk."""
        if self._inert or self._closing:
            return
        try:
            if self._backlog.add(row):
                self._ring()
        except Exception as error:
            self._tell("row", f"a row could not be stored: {type(error).__name__}: {error}")

    def flush(self, timeout: float = _CLOSING) -> bool:
        """Waits until every row put so far is committed; False where that did not come about in ``timeout`` seconds."""
        if self._inert:
            return False
        done = threading.Lock()
        done.acquire()
        self._waiting.append(done)
        self._ring()
        until = time.monotonic() + timeout
        while self._thread.is_alive():  # it may end while we wait: another thread, or a signal, closes the writer
            if done.acquire(timeout=max(0.0, min(0.1, until - time.monotonic()))):
                return True
            if time.monotonic() >= until:
                return False
        return not self._unwritten and not len(self._backlog)

    def close(self, ending: Ending | None = None, timeout: float = _CLOSING) -> None:
        """Writes what is left and ``ending``, and closes the file; a second call does nothing.

        Where the disk fails or stalls it gives up after ``timeout`` seconds; what was committed stays.
        """
        if self._inert or self._closing:
            return
        self._ending = ending
        self._closing = True
        _live.discard(self)
        self._ring()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _ring(self) -> None:
        # A plain lock, because it may be released in a signal handler that interrupted a release; an Event, a
        # Condition and a Queue may deadlock there, and a SimpleQueue's get may miss its timeout (CPython 3.11).
        with contextlib.suppress(RuntimeError):  # it has been rung already
            self._doorbell.release()

    def _run(self) -> None:
        try:
            retry_at, pause = 0.0, self._flush_seconds
            while not self._closing:
                if self._doorbell.acquire(timeout=self._flush_seconds) and not (self._closing or self._waiting):
                    time.sleep(max(0.0, self._drained_at + _SPACING - time.monotonic()))
                if time.monotonic() < retry_at and not self._waiting:
                    continue
                asking = len(self._waiting)
                if self._drain():
                    pause = self._flush_seconds
                    for _ in range(asking):
                        self._waiting.popleft().release()
                else:
                    retry_at = time.monotonic() + pause
                    pause = min(_LONGEST_PAUSE, 2 * pause)
            self._finish()
        except Exception as error:  # a mistake of ours must not fill the memory or end the training
            self._inert = True
            self._tell("thread", f"the record is no longer written: {type(error).__name__}: {error}")

    def _drain(self) -> bool:
        """Writes everything that is there; False where the disk fails."""
        while True:
            if not self._unwritten:
                rows = self._backlog.take(self._max_bytes * TRANSACTION)
                if not rows:
                    break
                self._unwritten = [cells for cells in map(self._encode, rows) if cells is not None]
            if not self._write(self._unwritten):
                return False
            self._unwritten = []
        if self._backlog.dropped:
            self._tell("dropped", "the disk does not keep up: some ordinary steps are missing from the record")
        self._drained_at = time.monotonic()
        return True

    def _encode(self, row: Row) -> Cells | None:
        try:
            self._last_tick = getattr(row, "tick", self._last_tick)
            return self._database.encode(row)
        except Exception as error:
            what = f"a {type(row).__name__} could not be stored"
            self._tell("row", f"{what}: {type(error).__name__}: {error}")
            return None

    def _write(self, batch: list[Cells]) -> bool:
        try:
            self._database.write(batch)
        except sqlite3.Error as error:
            self._tell(
                "disk", f"cannot write {self.path} ({error}): the training goes on, and writing as soon as it can"
            )
            return False
        return True

    def _finish(self) -> None:
        until = time.monotonic() + _LAST_TRIES
        while not self._drain() and time.monotonic() < until:
            time.sleep(_SPACING)
        rows: list[Row] = [] if self._ending is None else [self._ending]
        if self._backlog.dropped:
            data = {"where": "store", "error": f"{self._backlog.dropped} rows given up: the disk did not keep up"}
            rows.append(Event(self._last_tick, "capture_failure", data))
        self._write([cells for cells in map(self._encode, rows) if cells is not None])
        self._database.close()

    def _tell(self, topic: str, message: str) -> None:
        if topic in self._told or self._on_failure is None:
            return
        self._told.add(topic)
        with contextlib.suppress(Exception):
            self._on_failure(message)

    def _abandon(self) -> None:
        """In a forked child: never touch the file again, not even to close it.

        A connection that is closed in the child rolls back, in memory shared with the parent, what the parent
        was just writing.  So one reference to it is leaked on purpose, and no interpreter shutdown closes it.
        """
        self._inert = True
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._database))
        self._backlog = Backlog(_BACKLOG)


_live: Final[set[Writer]] = set()


def _abandon_all() -> None:
    for writer in list(_live):
        writer._abandon()
    _live.clear()


def _close_all() -> None:
    for writer in list(_live):
        writer.close()


if hasattr(os, "register_at_fork"):  # not on Windows, where there is no fork
    os.register_at_fork(after_in_child=_abandon_all)
atexit.register(_close_all)
