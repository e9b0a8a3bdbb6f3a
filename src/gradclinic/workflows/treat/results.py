"""Outcomes of trials in a file of lines, so that a treatment that was killed goes on where it was."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gradclinic.cure.trials import Case, Outcome


class ResultsFile:
    """One JSON object per line, each written at once; a line that was cut off is left out."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[tuple[str, int, int], Outcome] = dict(_read(path))
        self.found = len(self._known)  #: outcomes that were there already

    def get(self, case: Case, steps: int) -> Outcome | None:
        """What is known of it."""
        return self._known.get((case[0].key, case[1], steps))

    def put(self, case: Case, steps: int, outcome: Outcome) -> None:
        """Keeps it; a full disk costs the memory only."""
        key = (case[0].key, case[1], steps)
        self._known[key] = outcome
        line = json.dumps({"recipe": key[0], "seed": key[1], "asked": steps, **outcome.to_dict()})
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            pass

    def finish(self, path: Path) -> None:
        """Moves the file beside the record: the next treatment of the same target begins anew."""
        if self.path.exists():
            self.path.replace(path)


def unfinished(folder: Path, stem: str, *facts: Any) -> Path:
    """Where a verb keeps its trials while it runs: the same for the same target, source and options."""
    digest = hashlib.sha256(repr(facts).encode()).hexdigest()[:10]
    return folder / f".{stem}-{digest}.jsonl"


def source_of(name: str) -> str:
    """What the user's file says, so that trials of another version of it are not taken for this one's."""
    place = Path(name.rpartition(":")[0])
    return place.read_text(encoding="utf-8", errors="replace") if place.is_file() else ""


def _read(path: Path) -> Iterator[tuple[tuple[str, int, int], Outcome]]:
    if not path.is_file():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            data = json.loads(line)
            yield (data["recipe"], int(data["seed"]), int(data["asked"])), Outcome.from_dict(data)
        except (ValueError, KeyError, TypeError):  # the last line of a process that was killed
            continue
