"""docs/accuracy.md from the results.

    python -m corpus.page

writes the page anew from corpus/results.json, without running a script.  Only what stands between the two comments is
generated; the words around it are written by hand.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from .figures import NO_FAULT, NOTHING, rate
from .index import HERE
from .results import RESULTS

PAGE = HERE.parent / "docs" / "accuracy.md"
BEGIN, END = "<!-- from corpus/results.json -->", "<!-- end of results -->"

_SHOWN = {
    "detection": "faulty scripts called sick",
    "cause": "first cause right",
    "condition": "first condition right",
    "origin": "first bad operation and module right",
    "false_alarms_healthy": "healthy scripts called sick",
    "false_alarms_fixed": "fixed twins called sick",
}
_COMPARED = {
    "detection": "faulty called sick",
    "cause": "first cause right",
    "false_alarms": "healthy and fixed called sick",
}


def generated(data: dict[str, Any]) -> str:
    """All that the page shows of the results."""
    return "\n".join(_generated(data)).strip()


def filled(page: str, data: dict[str, Any]) -> str:
    """A page with its generated part anew.

    Raises:
        ValueError: the page lacks the two comments.
    """
    if BEGIN not in page or END not in page:
        raise ValueError(f"the page lacks {BEGIN} or {END}")
    middle = f"{BEGIN}\n{generated(data)}\n{END}"
    return re.sub(f"{re.escape(BEGIN)}.*{re.escape(END)}", lambda _: middle, page, flags=re.DOTALL)


def write(data: dict[str, Any], page: Path = PAGE) -> None:
    """Fills the page."""
    page.write_text(filled(page.read_text("utf-8"), data), "utf-8")


def _generated(data: dict[str, Any]) -> Iterator[str]:
    machine = data["machine"]
    at = f" at commit {data['commit']}" if data["commit"] else ""
    yield f"`{data['command']}`, {data['date']}{at}; {machine['processor']}, {machine['cores']} cores,"
    yield f"{machine['system']}, Python {machine['python']}, torch {machine['torch']}."
    yield from ("", "## The scored half", "")
    yield from _half(data["scored"])
    yield from ("", "## The development half", "")
    yield "These scripts were looked at while the diagnosis was written: their figures say how well it fits them, and"
    yield "not how good it is."
    yield ""
    yield from _half(data["development"])
    yield from ("", "Script by script, what is wrong in bold:", "")
    yield from _rows(data["rows"])


def _table(head: Sequence[str], rows: Iterator[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    yield from (f"| {' | '.join(row)} |" for row in rows)


def _half(data: dict[str, Any]) -> Iterator[str]:
    counts = data["scripts"]
    yield f"{counts['faulty']} faulty scripts, {counts['fixed']} fixed twins, {counts['healthy']} healthy scripts."
    yield ""
    rates = ([name, *_cells(data[key])] for key, name in _SHOWN.items())
    yield from _table(["", "of", "share", "95% interval"], rates)
    if data["without_report"]:
        yield from ("", f"{data['without_report']} scripts ended without a report; none of them counts as right.")
    yield from ("", "Beside the peers' rules on the same records:", "")
    tools = {"**gradclinic**": data, **data["peers"]}.items()
    shares = ([name, *(_short(found[key]) for key in _COMPARED)] for name, found in tools)
    yield from _table(["", *_COMPARED.values()], shares)
    yield from ("", "Which cause was named for which:", "")
    yield from _table(["cause", "scripts", "right", "named instead"], _confusion(data["confusion"]))
    if data["time"]:
        yield from ("", _time(data["time"]), "")
        count = sum(counts.values())
        alike = count - data["otherwise_watched"] - data["without_report"]
        yield f"{alike} of {count} scripts printed the same lines and ended alike, watched and plain."


def _cells(pair: Sequence[int]) -> list[str]:
    found = rate(pair)
    if found.share is None:
        return ["0 of 0", "", ""]
    low, high = found.interval
    return [f"{found.right} of {found.count}", f"{found.share:.1%}", f"{low:.1%} to {high:.1%}"]


def _short(pair: Sequence[int]) -> str:
    found = rate(pair)
    low, high = found.interval
    return "" if found.share is None else f"{found.share:.0%} ({low:.0%} to {high:.0%})"


def _confusion(table: dict[str, dict[str, int]]) -> Iterator[list[str]]:
    for expected in sorted(table, key=lambda cause: (cause == NO_FAULT, cause)):
        right = NOTHING if expected == NO_FAULT else expected
        others = {name: count for name, count in table[expected].items() if name != right}
        instead = ", ".join(f"{name} {others[name]}" for name in sorted(others, key=lambda name: (-others[name], name)))
        yield [expected, str(sum(table[expected].values())), str(table[expected].get(right, 0)), instead]


def _time(time: dict[str, Any]) -> str:
    times, seconds = time["bound"]
    found = rate(time["in_time"])
    return (
        f"Time: {found.right} of {found.count} watched scripts took at most {times} times the plain script plus "
        f"{seconds:g} s. The median script takes {time['plain_median']:.1f} s plain and {time['watched_median']:.1f} s "
        f"watched, start, report and page included. Watched over plain: median {time['ratio_median']:.2f}, worst "
        f"{time['ratio_worst']:.2f}; watched less {times} times plain: median {time['beyond_median']:.1f} s, worst "
        f"{time['beyond_worst']:.1f} s."
    )


def _rows(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    said = (
        [
            row["file"].removesuffix(".py"),
            _marked(row["verdict"], (row["verdict"] == "sick") != (row["kind"] == "faulty")),
            _marked(row["condition"], row["condition_right"] is False),
            _marked(row["cause"], row["cause_right"] is False),
            ", ".join(row["expected"]),
        ]
        for row in rows
    )
    yield from _table(["script", "verdict", "first condition", "first cause", "accepted causes"], said)


def _marked(text: str, wrong: bool) -> str:
    return f"**{text or NOTHING}**" if wrong else text


if __name__ == "__main__":
    write(json.loads(RESULTS.read_text("utf-8")))
