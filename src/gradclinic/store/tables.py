"""The format of a record: one SQLite file, one table per kind of row, all of the same shape."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from ..schema.record import (
    Ending,
    Event,
    Exponents,
    LedgerRow,
    OptimizerInfo,
    ParameterInfo,
    RunInfo,
    Step,
    Updates,
)
from .arrays import LAYOUTS, describe
from .codec import fields_of

APPLICATION_ID: Final = 0x67726164  # "grad", in SQLite's header: what tells a record from any other database
VERSION: Final = 1  # in SQLite's user_version; raised when an older reader would misread a newer file


@dataclass(frozen=True, slots=True)
class Table:
    """Where one class of rows goes, and what identifies a row there (a row of the same key replaces it)."""

    name: str  #: also the name of the field of ``schema.record.Record``
    row: type
    key: Callable[[Any], int | None]  #: None: SQLite numbers the rows in the order in which they came
    tick: Callable[[Any], int] = lambda row: 0
    lane: Callable[[Any], str | int] = lambda row: 0  #: rows are thinned out lane by lane


def _tick(row: Any) -> int:
    return int(row.tick)


def _index(row: Any) -> int:
    return int(row.index)


TABLES: Final = (
    Table("info", RunInfo, key=lambda row: 0),
    Table("ending", Ending, key=lambda row: 0),
    Table("parameters", ParameterInfo, key=_index),
    Table("optimizers", OptimizerInfo, key=_index),
    Table("steps", Step, key=_tick, tick=_tick, lane=lambda row: int(row.optimizer)),
    Table("exponents", Exponents, key=_tick, tick=_tick),
    Table("updates", Updates, key=_tick, tick=_tick),
    Table("ledgers", LedgerRow, key=_tick, tick=_tick),
    Table("events", Event, key=lambda row: None, tick=_tick, lane=lambda row: str(row.kind)),
)

#: The arrays of "steps", by the same keys: apart, because they are thinned out long before the scalars, and so
#: that the loss curve lies together.  Has the columns of a table of rows.
GRADIENTS: Final = "gradients"

TABLE_OF: Final[dict[type, Table]] = {table.row: table for table in TABLES}


@dataclass(frozen=True, slots=True)
class Cells:
    """One row, encoded."""

    table: str
    key: int | None
    tick: int
    lane: str | int
    marked: bool
    head: str | bytes
    body: bytes | None

    @property
    def size(self) -> int:
        """Bytes, without SQLite's own dozen."""
        return len(self.head) + len(self.body or b"")


def create_statements() -> list[str]:
    """The SQL that makes an empty record."""
    rows = [
        f"CREATE TABLE {name} (key INTEGER PRIMARY KEY, tick INTEGER NOT NULL, lane NOT NULL,"
        " marked INTEGER NOT NULL, head NOT NULL, body BLOB)"
        for name in (*(table.name for table in TABLES), GRADIENTS)
    ]
    marks = [f"PRAGMA application_id = {APPLICATION_ID}", f"PRAGMA user_version = {VERSION}"]
    return [*marks, *rows, "CREATE TABLE format (name TEXT PRIMARY KEY, value TEXT NOT NULL)"]


def format_rows() -> list[tuple[str, str]]:
    """What a file says of its own format, so that a reader needs no table of old versions."""
    fields = fields_of(*(table.row for table in TABLES))
    layouts = {name: describe(dtype) for name, dtype in LAYOUTS.items()}
    return [("fields", json.dumps(fields)), ("layouts", json.dumps(layouts))]
