"""Where records lie, and how they are found again."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable
from pathlib import Path

from gradclinic.errors import UserError

FOLDER = Path("gradclinic-runs")
SUFFIX = ".db"


def new_record(folder: Path, name: str | None, default: str, rank: int | None = None) -> Path:
    """An absolute path for a new record that nobody uses; makes the folder.

    The script may change its working folder, so the path must not depend on it.

    Raises:
        UserError: ``name`` is not a plain name, or the folder cannot be made or written to.
    """
    if name is not None and (not name or name != Path(name).name or name.startswith(".")):
        raise UserError(f"--name {name!r} is not a plain name; choose the folder with --out")
    folder = make_folder(folder)
    stem = name.removesuffix(SUFFIX) if name else f"{default}-{time.strftime('%Y%m%d-%H%M%S')}"
    return unused(folder / f"{stem}{'' if rank is None else f'-rank{rank}'}{SUFFIX}")


def file_stem(target: str) -> str:
    """A target's name as a part of a file's."""
    return "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in target).strip("-") or "model"


def make_folder(folder: Path, option: str = "--out") -> Path:
    """``folder``, absolute, once it exists and can be written to; ``option`` chose it.

    Raises:
        UserError: it cannot.
    """
    folder = Path(os.path.abspath(folder))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot make the folder {folder} ({error.strerror}); choose another with {option}") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UserError(f"cannot write to {folder}; choose another folder with {option}")
    return folder


def unused(path: Path) -> Path:
    """``path``, or the first of ``path-2``, ``path-3`` ... for which neither a record nor a page exists."""
    candidate, number = path, 1
    while candidate.exists() or candidate.with_suffix(".html").exists():
        number += 1
        candidate = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return candidate


def rank_record(path: Path, rank: int) -> Path:
    """The record of one rank of a distributed job whose launcher was given ``path``."""
    return unused(path.with_name(f"{path.stem}-rank{rank}{path.suffix}"))


def records_of(path: Path) -> list[Path]:
    """The records that a run left: ``path``, or one or more per rank, in order of rank, newest first."""
    if path.exists():
        return [path]
    ranks = path.parent.glob(f"{_escaped(path.stem)}-rank*{SUFFIX}") if path.parent.is_dir() else ()
    return sorted(ranks, key=lambda found: (_rank(found), -_modified(found)))


def find_record(run: str | None, folder: Path = FOLDER) -> Path:
    """The record that ``run`` names: a file, a name in ``folder``, or a folder; without, the newest.

    Raises:
        UserError: there is none.
    """
    if run is None:
        return _newest(folder)
    given = Path(run)
    if given.is_dir():
        return _newest(given)
    for candidate in (given, folder / given, folder / f"{run}{SUFFIX}", given.with_name(given.name + SUFFIX)):
        if candidate.is_file():
            return candidate.with_suffix(SUFFIX) if _is_page(candidate) else candidate
    raise UserError(
        f"no such run: {run}; name a file such as {folder}/train-20250101-120000.db, or leave it out for the newest"
    )


def writable(path: Path) -> Path:
    """``path``, absolute, once it is known that a file can be written there.

    Raises:
        UserError: it cannot.
    """
    path = Path(os.path.abspath(path))
    if path.is_dir():
        raise UserError(f"{path} is a folder; name a file in it")
    if not path.parent.is_dir():
        raise UserError(f"cannot write {path}: there is no folder {path.parent}; make it first")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise UserError(f"cannot write {path}; choose another place")
    return path


def _newest(folder: Path) -> Path:
    records: Iterable[Path] = folder.glob(f"*{SUFFIX}") if folder.is_dir() else ()
    newest = max(records, key=_modified, default=None)
    if newest is None:
        raise UserError(f"no runs in {folder}{os.sep}; record one first: gradclinic run train.py")
    return newest


def _is_page(path: Path) -> bool:
    return path.suffix == ".html" and path.with_suffix(SUFFIX).is_file()


def _rank(path: Path) -> int:
    match = re.search(r"-rank(\d+)", path.stem)
    return int(match[1]) if match else 0


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # deleted since it was listed
        return 0.0


def _escaped(name: str) -> str:
    return re.sub(r"([*?[])", r"[\1]", name)


def seen_from_here(path: Path) -> Path:
    """``path`` relative to the current folder, where it lies in it."""
    try:
        return path.relative_to(Path.cwd())
    except (ValueError, OSError):
        return path
