"""What was measured of each task, one file each, written whole or not at all: an evaluation goes on where it ended."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def load(folder: Path, name: str) -> dict[str, Any]:
    """What is known of ``name``; empty where nothing is."""
    path = _path(folder, name)
    return dict(json.loads(path.read_text("utf-8"))) if path.exists() else {}


def save(folder: Path, name: str, data: dict[str, Any]) -> None:
    """Keeps it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = _path(folder, name)
    part = path.with_suffix(f".{os.getpid()}.part")
    part.write_text(json.dumps(data, indent=1) + "\n", "utf-8")
    part.replace(path)


def _path(folder: Path, name: str) -> Path:
    return folder / f"{name}.json"
