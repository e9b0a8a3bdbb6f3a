"""What the training thread has handed over and the disk has not: bounded, and without a lock."""

from __future__ import annotations

from collections import deque
from typing import Final

from ..schema.record import Ending, Event, Exponents, LedgerRow, Row, RunInfo, Step, Updates
from .marks import ROUTINE, broken

_SMALL: Final = 1024  # bytes of Python objects in a row without arrays
_ENTRY: Final = 1024  # bytes of Python objects in one entry of a ledger


def appraise(row: Row) -> tuple[int, bool, bool]:
    """(bytes in memory, about; whether it is precious; whether it should reach the disk at once)."""
    if isinstance(row, Step):
        anomalous = broken(row)
        return _SMALL + (0 if row.gradients is None else row.gradients.nbytes), anomalous, anomalous
    if isinstance(row, Exponents):
        return _SMALL + row.counts.nbytes, False, False
    if isinstance(row, Updates):
        return _SMALL + row.weight_norm.nbytes * 3, False, False
    if isinstance(row, LedgerRow):
        return _SMALL + _ENTRY * len(row.ledger.entries), False, False
    if isinstance(row, Event):
        return _SMALL, True, row.kind not in ROUTINE
    return _SMALL, True, isinstance(row, RunInfo | Ending)


class Backlog:
    """Two queues, ordinary rows and precious ones, of ``limit`` bytes together.

    There is no lock, because :meth:`add` may be called from a signal handler that interrupted another
    :meth:`add`, and must never wait: a deque's append and popleft are atomic.  The byte counts may be off by a
    row where two threads race; they are only there to bound the memory.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._ordinary: deque[tuple[int, Row]] = deque()
        self._precious: deque[tuple[int, Row]] = deque()
        self._bytes = 0
        self.dropped = 0  #: rows that were given up because the disk did not keep up

    def __len__(self) -> int:
        return len(self._ordinary) + len(self._precious)

    def add(self, row: Row) -> bool:
        """Takes a row over; whether it should reach the disk at once.

        Where there is no room the oldest ordinary rows go; where nothing but precious ones is left, the new
        one goes: the first anomalies tell more than the thousandth.
        """
        size, precious, urgent = appraise(row)
        while self._bytes + size > self._limit and self._pop(self._ordinary) is not None:
            self.dropped += 1
        if self._bytes + size > self._limit and not isinstance(row, Ending):
            self.dropped += 1
            return False
        self._bytes += size
        (self._precious if precious else self._ordinary).append((size, row))
        return urgent

    def take(self, limit: float) -> list[Row]:
        """Hands out rows of about ``limit`` bytes, at least one where there is any, precious ones first."""
        rows: list[Row] = []
        taken = 0
        while taken < limit:
            item = self._pop(self._precious) or self._pop(self._ordinary)
            if item is None:
                break
            taken += item[0]
            rows.append(item[1])
        return rows

    def _pop(self, queue: deque[tuple[int, Row]]) -> tuple[int, Row] | None:
        try:
            item = queue.popleft()
        except IndexError:
            return None
        self._bytes -= item[0]
        return item
