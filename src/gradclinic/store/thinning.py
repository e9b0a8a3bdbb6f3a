"""What to forget when a record grows too large.  Pure: arrays in, arrays out.

Kept are the first rows, the newest, the anomalies, and one row in each stretch of ``gap`` ticks between.  The
gap is a power of two and doubles as the run goes on, so the middle stays evenly covered however long the
run, and what one thinning kept the next one (at the same gap) keeps again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

FIRST: Final = 64  # rows: the start of a run is where initialisation shows
NEWEST: Final = 256  # rows: what the live view draws, and what led up to a crash


@dataclass(frozen=True, slots=True)
class Sizes:
    """The rows of one table, as far as thinning has to know them; arrays of one length, sorted by tick."""

    key: NDArray[np.int64]
    tick: NDArray[np.int64]
    lane: NDArray[np.int64]  #: rows of different lanes (optimizers, kinds of event) do not stand for each other
    marked: NDArray[np.bool_]
    size: NDArray[np.int64]  #: bytes

    @property
    def total(self) -> int:
        """Bytes of all rows."""
        return int(self.size.sum())


def shares(wanted: dict[str, int], weights: dict[str, float], total: float) -> dict[str, float]:
    """Divides ``total`` bytes: nobody gets more than wanted, the rest goes by weight to those who want more."""
    granted: dict[str, float] = {}
    weight = sum(weights[name] for name in wanted)
    for name in sorted(wanted, key=lambda name: wanted[name] / weights[name]):
        granted[name] = min(float(wanted[name]), total * weights[name] / weight)
        total -= granted[name]
        weight -= weights[name]
    return granted


def choose(rows: Sizes, budget: float) -> NDArray[np.bool_]:
    """Which rows to keep so that they fit into ``budget`` bytes; the newest of each lane always stays.

    The first and the newest rows may take an eighth and a quarter of it, anomalies half: they are thinned out
    themselves where a run has nothing but anomalies.
    """
    if rows.total <= budget or not len(rows.key):
        return np.ones(len(rows.key), np.bool_)
    order = np.lexsort((rows.tick, rows.lane))
    lane, tick, size = rows.lane[order], rows.tick[order], rows.size[order]
    start = np.flatnonzero(np.r_[True, lane[1:] != lane[:-1]])
    length = np.diff(np.r_[start, len(lane)])
    rank = np.arange(len(lane)) - np.repeat(start, length)
    back = np.repeat(length, length) - 1 - rank
    rows_per_lane = budget / max(1.0, size.mean()) / len(start)
    ends = (rank < min(FIRST, int(rows_per_lane / 8))) | (back < max(1, min(NEWEST, int(rows_per_lane / 4))))

    marked = rows.marked[order]
    for kept in _coarser(marked, lane, tick):
        if size[kept].sum() <= budget / 2:
            break
    ends |= kept
    for kept in _coarser(~ends, lane, tick):
        if size[kept | ends].sum() <= budget:
            break
    result = np.empty(len(lane), np.bool_)
    result[order] = kept | ends
    return result


def _coarser(among: NDArray[np.bool_], lane: NDArray[np.int64], tick: NDArray[np.int64]) -> Iterator[NDArray[np.bool_]]:
    """Fewer and fewer of the rows ``among``: the first in each stretch of 1, 2, 4, ... ticks; at last none."""
    where = np.flatnonzero(among)
    lanes, gap = lane[where], 1
    while len(where):
        cell = tick[where] // gap
        kept = np.zeros(len(lane), np.bool_)
        kept[where[np.r_[True, (cell[1:] != cell[:-1]) | (lanes[1:] != lanes[:-1])]]] = True
        yield kept
        if gap > int(np.ptp(tick)):
            break
        gap *= 2
    yield np.zeros(len(lane), np.bool_)
