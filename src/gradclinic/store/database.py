"""The writing side of the file: creates it, writes batches, and keeps it below its size.  One thread at a time."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..errors import UserError
from ..schema.record import Event, Row, RunInfo, Step
from . import codec
from .marks import NEIGHBOURS, Marker
from .tables import GRADIENTS, TABLE_OF, Cells, create_statements, format_rows
from .thinning import Sizes, choose, shares

PAGE: Final = 4096  # bytes, SQLite's default

# The sizes below are fractions of max_bytes.  Their sum is what file and log together may reach, below 1.25:
# the file stops growing at _FULL and what one transaction adds; the log is copied back from _LOG on.
_FULL: Final = 0.85
_THINNED: Final = 0.6  # so that thinning, which reads the whole file, is rare
_LOG: Final = 1 / 20
_LOG_STUCK: Final = 1 / 5  # a reader that never ends its transaction keeps the log from being copied back
TRANSACTION: Final = 1 / 20
LARGEST_ROW: Final = 1 / 16

#: How the room is divided where everything wants more than there is.  The gradients of
#: old steps go long before their scalars do: the loss curve is what every diagnosis needs.
_WEIGHTS: Final = {GRADIENTS: 8.0, "steps": 4.0, "ledgers": 3.0, "exponents": 2.0, "updates": 2.0, "events": 1.0}


class LogStuck(sqlite3.OperationalError):
    """The write-ahead log cannot be copied back because another program reads the record without an end."""


class Database:
    """One record that is being written.  A failure raises ``sqlite3.Error`` and leaves earlier commits as they were."""

    def __init__(self, path: Path, info: RunInfo, max_bytes: int) -> None:
        """Creates the file with ``info`` in it.

        Raises:
            UserError: where it cannot be created, or something is there already.
        """
        self._max_bytes = max_bytes
        self._marker = Marker()
        self._log = path.with_name(path.name + "-wal")
        try:
            if path.exists() and path.stat().st_size:
                raise UserError(f"{path} exists already: choose another name for the record, or move it away")
            path.parent.mkdir(parents=True, exist_ok=True)
            # Any thread may use it because the writer thread does not exist yet; never two at a time.
            self.connection = sqlite3.connect(path, timeout=0.2, isolation_level=None, check_same_thread=False)
            self._create(info)
        except (OSError, sqlite3.Error) as error:
            raise UserError(
                f"cannot create the record {path} ({error}): choose a folder that can be written to"
            ) from None

    def _create(self, info: RunInfo) -> None:
        execute = self.connection.execute
        execute(f"PRAGMA page_size = {PAGE}")
        execute("BEGIN")
        for statement in create_statements():
            execute(statement)
        self.connection.executemany("INSERT INTO format VALUES (?, ?)", format_rows())
        self._insert([self.encode(info)])
        execute("COMMIT")
        # From here on readers do not block the writer, and a commit is one append to the log, without fsync:
        # it survives the death of the process; a power failure may take the last commits, never the file.
        execute("PRAGMA journal_mode = WAL")
        execute("PRAGMA synchronous = NORMAL")
        log = int(self._max_bytes * _LOG)
        execute(f"PRAGMA wal_autocheckpoint = {min(1000, max(8, log // PAGE))}")
        execute(f"PRAGMA journal_size_limit = {log}")
        execute("SELECT count(*) FROM info").fetchone()  # takes the lock that says that the log is in use

    def encode(self, row: Row) -> Cells:
        """A row as it will be written.  Rows are encoded once, in the order in which they came.

        Raises:
            Exception: of any kind, where a row holds what its annotations do not allow.
        """
        table = TABLE_OF[type(row)]
        head, body = codec.to_cells(row)
        marked = isinstance(row, Step | Event) and self._marker.mark(row)
        key, tick = table.key(row), table.tick(row)
        if not all(-(2**63) <= number < 2**63 for number in (key or 0, tick)):
            raise ValueError(f"{key or tick} does not fit into 64 bits")
        cells = Cells(table.name, key, tick, table.lane(row), marked, head, body)
        if cells.size > self._max_bytes * LARGEST_ROW:
            raise ValueError(f"one row of {cells.size} bytes in a record of at most {self._max_bytes}")
        return cells

    def write(self, batch: list[Cells]) -> None:
        """Writes a batch in one transaction, then makes room where the file is full.

        Raises:
            sqlite3.Error: nothing of the batch was written; it may be tried again.
        """
        self._bound_log()
        with _Transaction(self.connection):
            self._insert(batch)
        if self.used() > self._max_bytes * _FULL:
            self._thin()

    def _insert(self, batch: list[Cells]) -> None:
        rows: dict[str, list[tuple[object, ...]]] = {}
        for cells in batch:
            marked = cells.marked or (cells.table == "steps" and self._marker.near(cells.tick))
            place = (cells.key, cells.tick, cells.lane, marked)
            if cells.table == "steps":
                rows.setdefault("steps", []).append((*place, cells.head, None))
                if cells.body is not None:
                    rows.setdefault(GRADIENTS, []).append((*place, "", cells.body))
            else:
                rows.setdefault(cells.table, []).append((*place, cells.head, cells.body))
        for table, values in rows.items():
            self.connection.executemany(f"INSERT OR REPLACE INTO {table} VALUES (?, ?, ?, ?, ?, ?)", values)
        self.connection.executemany(
            "UPDATE steps SET marked = 1 WHERE key BETWEEN ? AND ?",
            [(cells.tick - NEIGHBOURS, cells.tick + NEIGHBOURS) for cells in batch if cells.marked],
        )

    def used(self) -> int:
        """Bytes of the file that hold something; pages that were freed are used again."""
        (pages,) = self.connection.execute("PRAGMA page_count").fetchone()
        (free,) = self.connection.execute("PRAGMA freelist_count").fetchone()
        return int(pages - free) * PAGE

    def _bound_log(self) -> None:
        try:
            size = self._log.stat().st_size
        except OSError:
            return
        if size > self._max_bytes * _LOG_STUCK:
            (busy, _, _) = self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if busy:
                raise LogStuck("another program holds the record open for reading")

    def _thin(self) -> None:
        tables = {name: self._sizes(name) for name in _WEIGHTS}
        wanted = {name: rows.total for name, rows in tables.items()}
        # What a row takes in the file is more than its bytes; the ratio says how much more.
        real = max(1.0, self.used() / max(1, sum(wanted.values())))
        granted = shares(wanted, _WEIGHTS, self._max_bytes * _THINNED / real)
        for name, rows in tables.items():
            gone = ~choose(rows, granted[name])
            self._forget(name, rows.key[gone].tolist(), rows.size[gone])

    def _sizes(self, name: str) -> Sizes:
        """The rows of a table; those that belong to a step are anomalous where it is, and in its lane."""
        found = self.connection.execute(
            f"SELECT key, tick, lane, marked, length(head) + coalesce(length(body), 0) FROM {name} ORDER BY tick"
        ).fetchall()
        lanes: dict[object, int] = {}
        rows = [
            (key, tick, lanes.setdefault(lane, len(lanes)), marked, size) for key, tick, lane, marked, size in found
        ]
        table = np.array(rows, np.int64).reshape(-1, 5)
        marked, lane = table[:, 3].astype(np.bool_), table[:, 2]
        if name not in ("steps", "events"):
            steps = self.connection.execute(
                f"SELECT tick, lane, marked FROM steps WHERE tick IN (SELECT tick FROM {name})"
            )
            known = {tick: (lane, marked) for tick, lane, marked in steps}
            marked = np.array([known.get(tick, (0, 0))[1] for tick in table[:, 1].tolist()], np.bool_)
            lane = np.array([known.get(tick, (0, 0))[0] for tick in table[:, 1].tolist()], np.int64)
        return Sizes(table[:, 0], table[:, 1], lane, marked, table[:, 4])

    def _forget(self, name: str, keys: list[int], sizes: NDArray[np.int64]) -> None:
        """Deletes rows in transactions small enough for the log."""
        # Rows are sorted, so those of one transaction touch about as many pages as they fill.
        parts = (np.cumsum(sizes) / (self._max_bytes * TRANSACTION)).astype(np.int64)
        for part in np.unique(parts):
            start, stop = np.searchsorted(parts, part), np.searchsorted(parts, part, "right")
            with _Transaction(self.connection):
                for table in (name, GRADIENTS) if name == "steps" else (name,):
                    self.connection.executemany(
                        f"DELETE FROM {table} WHERE key = ?", [(key,) for key in keys[start:stop]]
                    )

    def close(self) -> None:
        """Leaves one plain file, which can be copied and read anywhere; a log stays beside it where a reader is in."""
        try:
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self.connection.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.Error:
            pass
        self.connection.close()


class _Transaction:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        if kind is None:
            try:
                self._connection.execute("COMMIT")
                return
            except sqlite3.Error:
                self._rollback()
                raise
        self._rollback()

    def _rollback(self) -> None:
        if self._connection.in_transaction:  # a full disk may have rolled it back already
            self._connection.execute("ROLLBACK")
