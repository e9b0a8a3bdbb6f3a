"""Adds to a finished record what only its launcher knows: how the process really ended."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from ..schema.record import Ending
from . import codec
from .opening import opened
from .tables import TABLE_OF


def amend(path: Path, ending: Ending) -> None:
    """Replaces the ending of a record that nobody writes any more, and folds a log that was left behind into the file.

    Raises:
        UserError: where ``path`` is not a record.
        sqlite3.Error: where it cannot be written.
    """
    with opened(path):  # checks that it is a record of a version that this one understands
        pass
    table = TABLE_OF[Ending]
    head, body = codec.to_cells(ending)
    with contextlib.closing(sqlite3.connect(path, timeout=5, isolation_level=None)) as connection:
        connection.execute(
            f"INSERT OR REPLACE INTO {table.name} VALUES (?, ?, ?, ?, ?, ?)",
            (table.key(ending), table.tick(ending), table.lane(ending), 0, head, body),
        )
        connection.execute("PRAGMA journal_mode = DELETE")
