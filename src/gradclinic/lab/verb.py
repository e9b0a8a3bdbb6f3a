"""``gradclinic lab``: runs an experiment, shows it, and writes what was asked for."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from gradclinic import UserError

from .catalogue import find
from .outcome import Outcome
from .page import page
from .runner import Tell, run
from .terminal import show

FOLDER = Path("gradclinic-runs") / "lab"


@dataclass(frozen=True, slots=True)
class LabOptions:
    """What the user may choose."""

    quick: bool = False
    seeds: int = 1
    out: Path = FOLDER  #: where measured rows are kept
    html: Path | None = None
    json: Path | None = None
    live: bool = True  #: a progress bar, on a terminal


def run_experiment(name: str, options: LabOptions, console: Console) -> Outcome:
    """Runs the experiment ``name`` and shows it on ``console``.

    Raises:
        UserError: there is no such experiment, a file cannot be written, or something is not installed.
    """
    experiment = find(name)
    for path in (options.html, options.json):
        if path is not None:
            _writable(path)
    settings = experiment.quick if options.quick else experiment.full
    with _bar(experiment.name, shown=options.live) as tell:
        outcome = run(experiment, settings, seeds=options.seeds, folder=options.out, tell=tell)
    show(outcome, console)
    if options.json is not None:
        options.json.write_text(outcome.json(), "utf-8")
    if options.html is not None:
        options.html.write_text(page(outcome), "utf-8")
    return outcome


def _writable(path: Path) -> None:
    """Found out before the experiment, not after it."""
    if path.is_dir():
        raise UserError(f"{path} is a folder; name a file in it")
    if not path.absolute().parent.is_dir():
        raise UserError(f"cannot write {path}: there is no folder {path.parent}; make it first")
    if not os.access(path if path.exists() else path.absolute().parent, os.W_OK):
        raise UserError(f"cannot write {path}; choose another place")


@contextmanager
def _bar(name: str, *, shown: bool) -> Iterator[Tell]:
    if not shown or sys.stderr is None or not sys.stderr.isatty():
        yield lambda done, count, what: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(name, total=None)

        def tell(done: int, count: int, what: str) -> None:
            progress.update(task, completed=done, total=count, description=f"{name}: {what[:60]}")

        yield tell
