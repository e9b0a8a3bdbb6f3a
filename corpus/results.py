"""The file of results: what was measured, when, where and by which command."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from .figures import figures
from .index import HERE, Half
from .judge import Row

RESULTS = HERE / "results.json"
HALVES: tuple[Half, ...] = ("scored", "development")


def results(rows: Sequence[Row], command: str) -> dict[str, Any]:
    """The figures of both halves and the rows of the development half.

    Which script of the scored half was right stands nowhere: whoever knows it would develop against it.
    """
    halves: dict[str, Any] = {half: figures([row for row in rows if row.half == half]) for half in HALVES}
    shown = sorted((row for row in rows if row.half == "development"), key=lambda row: (row.kind, row.file))
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "command": command,
        "commit": commit(),
        **halves,
        "rows": [_rounded(asdict(row)) for row in shown],
    }


def write(data: dict[str, Any], path: Path) -> None:
    """Writes results so that a change shows as a line: a figure a line, a row a line."""
    parts = [
        f'"{key}": {_lines(value) if key in (*HALVES, "rows") else json.dumps(value)}' for key, value in data.items()
    ]
    path.write_text("{\n" + ",\n".join(parts) + "\n}\n", "utf-8")


def _lines(value: dict[str, Any] | list[Any]) -> str:
    if isinstance(value, dict):
        inner = [f"  {json.dumps(key)}: {json.dumps(item)}" for key, item in value.items()]
        return "{\n" + ",\n".join(inner) + "\n }"
    return "[\n" + ",\n".join(f"  {json.dumps(item)}" for item in value) + "\n ]"


def machine() -> dict[str, Any]:
    """What the times depend on."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "torch": metadata.version("torch"),
    }


def commit() -> str:
    """The commit that was scored, marked where the source or the corpus differed from it; "" outside a repository."""
    try:
        head = _git("rev-parse", "--short=12", "HEAD")
        changed = _git("status", "--porcelain", "--", "src", "corpus/faulty", "corpus/fixed", "corpus/healthy")
    except (OSError, subprocess.CalledProcessError):
        return ""
    return f"{head} with changes" if changed else head


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=HERE.parent, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text("utf-8").splitlines() if info.exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    """Hundredths of a second are noise."""
    return {key: round(value, 1) if isinstance(value, float) else value for key, value in row.items()}
