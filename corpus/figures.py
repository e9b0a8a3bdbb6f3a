"""From rows to the figures of one half, as plain data that JSON can hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import Any

from .judge import SECONDS, TIMES, Row
from .peers import PEERS
from .rates import Rate

#: The row of scripts without a fault in the confusion table, and what stands for "nothing was named" in a column.
NO_FAULT, NOTHING = "no fault", "nothing"


def figures(rows: Sequence[Row]) -> dict[str, Any]:
    """All figures of these rows.  Rates are ``[right, count]``; see :func:`rate`."""
    faulty = [row for row in rows if row.kind == "faulty"]
    quiet = [row for row in rows if row.kind != "faulty"]
    origins = [row.origin_right for row in faulty if row.origin_right is not None]
    return {
        "scripts": {kind: sum(row.kind == kind for row in rows) for kind in ("faulty", "fixed", "healthy")},
        "without_report": sum(row.verdict == "failed" for row in rows),
        "otherwise_watched": sum(bool(row.note) and row.verdict != "failed" for row in rows),
        "detection": _pair(row.sick for row in faulty),
        "condition": _pair(bool(row.condition_right) for row in faulty),
        "cause": _pair(bool(row.cause_right) for row in faulty),
        "origin": _pair(origins),
        "false_alarms": _pair(row.sick for row in quiet),
        "false_alarms_healthy": _pair(row.sick for row in quiet if row.kind == "healthy"),
        "false_alarms_fixed": _pair(row.sick for row in quiet if row.kind == "fixed"),
        "peers": {peer.name: _peer(peer.name, faulty, quiet) for peer in PEERS},
        "confusion": _confusion(rows),
        "time": _time(rows),
    }


def rate(pair: Sequence[int]) -> Rate:
    """A rate as it was read from JSON."""
    return Rate(pair[0], pair[1])


def _pair(answers: Any) -> list[int]:
    counted = Rate.of(answers)
    return [counted.right, counted.count]


def _peer(name: str, faulty: Sequence[Row], quiet: Sequence[Row]) -> dict[str, list[int]]:
    return {
        "detection": _pair(row.peers[name].sick for row in faulty),
        "cause": _pair(row.peers[name].cause_right for row in faulty),
        "false_alarms": _pair(row.peers[name].sick for row in quiet),
    }


def _confusion(rows: Sequence[Row]) -> dict[str, dict[str, int]]:
    """Expected cause → named cause → scripts.

    Where several causes are accepted, a right answer counts under the one that was named, a wrong one under the first.
    """
    table: dict[str, Counter[str]] = {}
    for row in rows:
        named = row.cause if row.sick and row.cause else NOTHING
        expected = (named if row.cause_right else row.expected[0]) if row.kind == "faulty" else NO_FAULT
        table.setdefault(expected, Counter())[named] += 1
    return {expected: dict(sorted(named.items())) for expected, named in sorted(table.items())}


def _time(rows: Sequence[Row]) -> dict[str, Any] | None:
    """How long watched scripts took, against plain; None where not all were timed."""
    pairs = [(row.seconds, row.plain_seconds) for row in rows]
    timed = [(watched, plain) for watched, plain in pairs if watched is not None and plain is not None]
    if not timed or len(timed) < len(rows):
        return None
    ratios = [watched / plain for watched, plain in timed]
    beyond = [watched - TIMES * plain for watched, plain in timed]  # at most SECONDS is in time
    return {
        "in_time": _pair(bool(row.in_time) for row in rows),
        "bound": [TIMES, SECONDS],
        "plain_median": median(plain for _, plain in timed),
        "watched_median": median(watched for watched, _ in timed),
        "ratio_median": median(ratios),
        "ratio_worst": max(ratios),
        "beyond_median": median(beyond),
        "beyond_worst": max(beyond),
    }
