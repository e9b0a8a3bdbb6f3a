"""Opens a record for reading, wherever it lies: while it is written, on a read-only disk, without its log."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

from ..errors import UserError
from .codec import DAMAGE, Decoder
from .tables import APPLICATION_ID, VERSION

_SMALLEST: Final = 512  # bytes: SQLite's smallest page


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """A read-only connection, in one transaction: what it shows does not change while it is open.

    Raises:
        UserError: where the file is missing, empty, no record, a newer version's, or damaged from the start.
    """
    _check_there(path)
    with ExitStack() as stack:
        connection = _connect(path, stack)
        _check_marks(connection, path)
        yield connection


def _check_there(path: Path) -> None:
    # Only looked at, never opened: closing a file drops all locks that this process has on it, and with them
    # those of a Writer in the same process.
    try:
        size = path.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(f"there is no record {path}: check the name") from None
    except OSError as error:
        raise UserError(f"cannot read {path} ({error.strerror}): check its permissions") from None
    if path.is_dir():
        raise UserError(f"{path} is a folder: name the record in it, a .db file")
    if not size:
        raise UserError(f"{path} is empty: the run ended before it wrote anything; run it again")
    if not os.access(path, os.R_OK):
        raise UserError(f"cannot read {path} (Permission denied): check its permissions")


def _check_marks(connection: sqlite3.Connection, path: Path) -> None:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID:
        raise UserError(f"{path} is another program's database, not a gradclinic record: name one of those")
    if version > VERSION:
        raise UserError(
            f"{path} was written by a newer gradclinic (format {version}, this one reads up to {VERSION}): "
            "update gradclinic"
        )


def _connect(path: Path, stack: ExitStack) -> sqlite3.Connection:
    log = path.with_name(path.name + "-wal")
    failure: Exception | None = None
    for attempt in ("ro", "copy", "immutable"):
        try:
            if attempt == "ro":
                return _try(path, "mode=ro", stack)
            if attempt == "immutable":
                return _try(path, "mode=ro&immutable=1", stack)
            if log.is_file() and log.stat().st_size:
                # SQLite reads a log only beside a file of locks, which it cannot make in a read-only folder.
                scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gradclinic-")))
                shutil.copy(path, scratch / "record")
                shutil.copy(log, scratch / "record-wal")
                return _try(scratch / "record", "mode=rw", stack)
        except (sqlite3.Error, OSError) as error:
            if "not a database" in str(error):
                raise UserError(_foreign(path)) from None
            failure = failure or error
    raise UserError(f"{path} is damaged ({failure}): copy it again from where it was written, or run again")


def _foreign(path: Path) -> str:
    if path.stat().st_size < _SMALLEST:
        return (
            f"{path} is no gradclinic record, or was cut off: name a file that `gradclinic run` wrote, or copy it again"
        )
    return f"{path} is not a gradclinic record: name a file that `gradclinic run` wrote"


def _try(path: Path, options: str, stack: ExitStack) -> sqlite3.Connection:
    uri = f"file:{quote(str(path.absolute()))}?{options}"
    connection = sqlite3.connect(uri, uri=True, timeout=5, isolation_level=None)
    try:
        connection.execute("PRAGMA trusted_schema = OFF")  # a view or trigger in a foreign file calls nothing
        if "immutable" in options:  # otherwise SQLite opens no file that is shorter than it should be
            connection.execute("PRAGMA writable_schema = ON")
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error:
        connection.close()
        raise
    stack.callback(connection.close)
    return connection


def decoder(connection: sqlite3.Connection, path: Path) -> Decoder:
    """How the rows of this file are to be decoded, as it says itself.

    Raises:
        UserError: where it does not say so.
    """
    try:
        format_ = {name: json.loads(value) for name, value in connection.execute("SELECT name, value FROM format")}
        return Decoder(format_["fields"], format_["layouts"])
    except (sqlite3.Error, AttributeError, *DAMAGE) as error:
        raise UserError(f"{path} is damaged ({error}): copy it again from where it was written, or run again") from None
