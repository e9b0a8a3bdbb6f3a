"""The rows and the totals as the terminal shows them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from .figures import rate
from .judge import Row


def rows_table(rows: Sequence[Row]) -> str:
    """One line a script, what is wrong marked in front."""
    lines = [f"   {'script':44} {'verdict':10} {'first condition':22} {'first cause':24} {'s':>6} {'plain':>6}  peers"]
    lines += [_line(row) for row in sorted(rows, key=lambda row: (row.kind, row.file))]
    return "\n".join(lines)


def _line(row: Row) -> str:
    seconds = [f"{value:6.1f}" if value is not None else f"{'':6}" for value in (row.seconds, row.plain_seconds)]
    peers = ", ".join(f"{name}: {call.symptom}" for name, call in row.peers.items() if call.sick)
    wrong = [
        f"want {'/'.join(row.expected)}" if row.cause_right is False else "",
        "other condition" if row.cause_right and row.condition_right is False else "",
        f"origin {row.origin}" if row.origin_right is False else "",
        "too slow" if row.in_time is False else "",
        row.note,
    ]
    mark = "   " if row.right and row.in_time is not False else " x "
    columns = f"{row.file:44} {row.verdict:10} {row.condition or '-':22} {row.cause or '-':24} {' '.join(seconds)}"
    return f"{mark}{columns}  {peers or '-'}" + "".join(f"  [{text}]" for text in wrong if text)


def totals(half: str, data: dict[str, Any]) -> str:
    """The figures of one half."""
    return "\n".join(_totals(half, data))


def _totals(half: str, data: dict[str, Any]) -> Iterator[str]:
    counts = data["scripts"]
    yield f"{half}: {counts['faulty']} faulty, {counts['fixed']} fixed, {counts['healthy']} healthy"
    names = {
        "detection": "faulty called sick",
        "condition": "first condition right",
        "cause": "first cause right",
        "origin": "first bad operation right",
        "false_alarms_healthy": "healthy called sick",
        "false_alarms_fixed": "fixed called sick",
    }
    yield from (f"  {name:28} {rate(data[key])}" for key, name in names.items())
    for peer, found in data["peers"].items():
        shown = ", ".join(f"{key.replace('_', ' ')} {rate(pair)}" for key, pair in found.items())
        yield f"  {peer:28} {shown}"
    if data["without_report"]:
        yield f"  {'without a report':28} {data['without_report']}"
    if data["otherwise_watched"]:
        yield f"  {'otherwise than plain':28} {data['otherwise_watched']}"
    if data["time"]:
        time = data["time"]
        yield f"  {'in time':28} {rate(time['in_time'])}; worst {time['ratio_worst']:.2f} times the plain script"
