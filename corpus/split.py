"""Draws which scripts are developed against and which only score, once and for ever.

    python -m corpus.split

A script that has a half keeps it.  Of those that have none, faulty and healthy ones apart, as many are drawn at random
into the scored half as bring it nearest to half of all; the rest is for development.  A fixed script goes with its
twin.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from dataclasses import replace

from .index import Half, Kind, Script, load, save

#: Of the draw.  Any number does; this one was written down before the scripts were there.
SEED = 20261123


def assign(scripts: Sequence[Script], seed: int = SEED) -> tuple[Script, ...]:
    """The same scripts, each with its half."""
    halves: dict[str, Half] = {}
    for kind in ("faulty", "healthy"):
        halves |= _drawn([script for script in scripts if script.kind == kind], kind, seed)
    return tuple(replace(one, half=halves[one.twin if one.kind == "fixed" else one.file]) for one in scripts)


def _drawn(scripts: Sequence[Script], kind: Kind, seed: int) -> dict[str, Half]:
    known = {script.file: script.half for script in scripts if script.half is not None}
    free = sorted(script.file for script in scripts if script.half is None)
    wanted = len(scripts) // 2 - list(known.values()).count("scored")
    scored = set(random.Random(f"{seed} {kind}").sample(free, max(0, min(wanted, len(free)))))
    return known | {file: "scored" if file in scored else "development" for file in free}


def main() -> None:
    """Draws for the scripts of the index that have no half yet, and says how many."""
    before = load()
    after = assign(before)
    save(after)
    drawn = [new for old, new in zip(before, after, strict=True) if old.half is None]
    counts = ", ".join(f"{[s.half for s in drawn].count(half)} {half}" for half in ("development", "scored"))
    sys.stdout.write(f"drawn: {counts}\n")


if __name__ == "__main__":
    main()
