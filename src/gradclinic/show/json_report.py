"""The report as a JSON file, by the schema that ships with the package."""

from __future__ import annotations

import json
import os
import tempfile
from importlib import resources
from pathlib import Path
from typing import Any

from gradclinic.errors import UserError
from gradclinic.schema.report import Report


def schema(name: str = "report") -> dict[str, Any]:
    """A JSON Schema (2020-12): of every ``report``, or of a ``comparison``."""
    text = resources.files("gradclinic.schema").joinpath(f"{name}.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def dumps(report: Report) -> str:
    """The report as strict JSON (no NaN tokens), one line at the end."""
    return strict(report.to_dict())


def strict(data: dict[str, Any]) -> str:
    """Plain data as strict JSON, one line at the end."""
    return json.dumps(data, allow_nan=False, ensure_ascii=False, indent=2) + "\n"


def write(report: Report, path: str | Path) -> None:
    """Writes the report to ``path``; see :func:`write_text`."""
    write_text(dumps(report), path)


def write_text(text: str, path: str | Path) -> None:
    """Writes ``text`` to ``path`` in UTF-8.  The old file is replaced at once or not at all.

    A symbolic link is followed; what is not a regular file (``/dev/stdout``, a pipe) is written to directly.

    Raises:
        UserError: where the file cannot be written.
    """
    path = Path(path)
    # A lone surrogate in a file name cannot be encoded; a report that shows it escaped beats none.
    data = text.encode("utf-8", "backslashreplace")
    try:
        if path.exists() and not path.is_file():
            with path.open("wb") as stream:
                stream.write(data)
            return
        _replace(data, path.resolve())
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(f"cannot write {path}: {reason}; give a path in a folder that you can write to") from error


def _replace(data: bytes, path: Path) -> None:
    # In the same folder, since only within one file system a rename is atomic.
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name[:80]}.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        # mkstemp makes files for the owner only; a report is as readable as any new file, or as the one before it.
        Path(temporary).chmod(path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
