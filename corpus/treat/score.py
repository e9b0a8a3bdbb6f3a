"""How often a treatment cures: corpus/treat/results.json and docs/accuracy.md.

    python -m corpus.treat.score --keep FOLDER [--jobs 2] [--only NAME ...] [--healthy]

Each task is treated once, then trained in full on three fresh seeds: as it is, with the recipe, and with what random
search finds at the same cost.  What is in FOLDER already is not done again.  ``--only`` and ``--healthy`` measure a
part, and write no page.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from corpus.results import commit, machine

from . import kept, page, references
from .evaluate import PARTS, evaluate
from .families import ALL, find_row
from .figures import figures
from .judged import Judged, judge
from .pool import spread
from .row import Row

RESULTS = Path(__file__).with_name("results.json")
_SAID = ("cured", "cured_unproven", "cured_by_chance", "worse", "worse_unproven")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures what is not in the folder yet; writes the results and the page, or the rows to standard output."""
    parser = argparse.ArgumentParser(prog="python -m corpus.treat.score", description=__doc__)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", nargs="+", metavar="NAME")
    parser.add_argument("--healthy", action="store_true", help="the healthy tasks only")
    options = parser.parse_args(arguments)
    known = references.load()
    chosen = [
        row.name
        for row in ALL
        if row.name in known and row.name in (options.only or known) and not (options.healthy and row.sick)
    ]
    spread(evaluate, [name for name in chosen if not _done(options.keep, name)], options.keep, options.jobs)
    done = [find_row(name) for name in chosen if _done(options.keep, name)]
    data = results(done, options.keep, known)
    if options.only or options.healthy:
        sys.stdout.write(json.dumps(data["figures"], indent=1) + "\n")
        sys.stdout.writelines(f"{json.dumps(each)}\n" for each in data["rows"])
        return 0
    write(data)
    page.write(data)
    return 0


def results(rows: Sequence[Row], folder: Path, known: dict[str, Any]) -> dict[str, Any]:
    """All figures of these tasks, which have been evaluated."""
    judged = [judge(row, kept.load(folder, row.name), known[row.name]) for row in rows]
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "command": "make treat-corpus",
        "commit": commit(),
        "missing": len(ALL) - len(rows),
        "figures": figures(judged),
        "rows": [_plain(each) for each in judged],
    }


def write(data: dict[str, Any], path: Path = RESULTS) -> None:
    """One task a line."""
    rows = ",\n".join(f"  {json.dumps(each)}" for each in data["rows"])
    others = ",\n".join(f'"{key}": {json.dumps(item)}' for key, item in data.items() if key != "rows")
    path.write_text(f'{{\n{others},\n"rows": [\n{rows}\n]\n}}\n', "utf-8")


def _plain(each: Judged) -> dict[str, Any]:
    return each.to_dict() | {name: getattr(each, name) for name in _SAID}


def _done(folder: Path, name: str) -> bool:
    return set(PARTS) <= set(kept.load(folder, name))


if __name__ == "__main__":
    sys.exit(main())
