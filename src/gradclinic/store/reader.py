"""Reads a whole record back."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import UserError
from ..schema.record import Event, Record, Step
from .codec import DAMAGE, Decoder
from .opening import decoder, opened
from .tables import GRADIENTS, TABLES, Table

_Cells = tuple[int, str | bytes, bytes | None]


def read(path: Path) -> Record:
    """The record at ``path``, finished or still being written; nothing in it is executed, and torch is not needed.

    Where a part is damaged, the rest is returned, with an event of kind ``capture_failure`` at its end that
    says what was lost.

    Raises:
        UserError: where the file is missing, empty, cut off, damaged, no record, or a newer version's.
    """
    path = Path(path)
    with opened(path) as connection:
        decode = decoder(connection, path)
        damage: list[str] = []
        rows = {table.name: _rows(connection, decode, table, damage) for table in TABLES}
    if not rows["info"]:
        raise UserError(f"{path} does not say which run it is of, so it is damaged: copy it again, or run again")
    if damage:
        tick = max((step.tick for step in rows["steps"]), default=0)
        rows["events"].append(Event(tick, "capture_failure", {"where": "record", "error": "; ".join(damage)}))
    ending = rows["ending"][-1] if rows["ending"] else None
    many = {name: tuple(found) for name, found in rows.items() if name not in ("info", "ending")}
    return Record(info=rows["info"][-1], ending=ending, **many)


def _rows(connection: sqlite3.Connection, decode: Decoder, table: Table, damage: list[str]) -> list[Any]:
    bodies: dict[int, bytes | None] = {}
    if table.row is Step:
        bodies = {key: body for key, _, body in _cells(connection, GRADIENTS, damage)}
    rows: list[Any] = []
    lost = 0
    for key, head, body in _cells(connection, table.name, damage):
        try:
            rows.append(decode.row(table.row, head, bodies.pop(key, body)))
        except DAMAGE:
            lost += 1
    if lost:
        damage.append(f"{lost} of {lost + len(rows)} {table.name} cannot be read")
    return rows


def _cells(connection: sqlite3.Connection, table: str, damage: list[str]) -> Iterator[_Cells]:
    """All rows by key; where the table is damaged, those before and those after the damage."""
    last: int | None = None
    select = f"SELECT key, head, body FROM {table} ORDER BY key"
    try:
        for row in connection.execute(select):
            yield row
            last = row[0]
        return
    except sqlite3.Error as error:
        damage.append(f"a part of {table} cannot be read ({error})")
    after: list[_Cells] = []
    try:
        for row in connection.execute(f"{select} DESC"):
            if last is not None and row[0] <= last:
                break
            after.append(row)
    except sqlite3.Error:
        pass
    yield from reversed(after)
