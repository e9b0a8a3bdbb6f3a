"""Measured rows on disk, one JSON file per row: an experiment that was stopped goes on where it was."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gradclinic import UserError

from .experiment import Row

SOURCE = Path(__file__).parent


class Cache:
    """The rows of one experiment in ``folder``, which is made.

    Raises UserError where it cannot be written.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder / name, name
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(
                f"cannot make the folder {self._folder} ({error.strerror}); choose another with --out"
            ) from error
        if not os.access(self._folder, os.W_OK):
            raise UserError(f"cannot write to {self._folder}; choose another folder with --out")

    def get(self, setting: Mapping[str, Any]) -> Row | None:
        """The row of this setting, None where it was not measured by this code, or the file is damaged."""
        try:
            kept = json.loads(self._path(setting).read_text("utf-8"))
            return Row(kept["setting"], kept["values"], kept["seconds"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def put(self, row: Row) -> None:
        """Writes the row; whoever reads meanwhile sees all of it or nothing."""
        kept = {"setting": dict(row.setting), "values": dict(row.values), "seconds": row.seconds}
        descriptor, temporary = tempfile.mkstemp(prefix=".row-", suffix=".tmp", dir=self._folder)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                json.dump(kept, stream)
            Path(temporary).replace(self._path(row.setting))
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    def _path(self, setting: Mapping[str, Any]) -> Path:
        text = json.dumps([self._name, _code(), sorted(setting.items())])
        return self._folder / f"{hashlib.sha256(text.encode()).hexdigest()[:24]}.json"


@functools.cache
def _code() -> str:
    """A digest of the lab's own code: rows that other code measured are not this experiment's."""
    digest = hashlib.sha256()
    for path in sorted(SOURCE.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
