"""From a record to everything that is said about it: the report, on the terminal, as a page, as JSON."""

from __future__ import annotations

import contextlib
import dataclasses
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from gradclinic.diagnose import diagnose
from gradclinic.schema.record import Record
from gradclinic.schema.report import Report
from gradclinic.show import html, json_report, terminal
from gradclinic.store import read
from gradclinic.store.amend import amend

from .command import Command
from .describe import describe_run
from .ending import seen_ending


@dataclass(frozen=True, slots=True)
class Answer:
    """A run and what was found in it."""

    record: Record
    report: Report
    path: Path | None  #: of the record; None where nothing was recorded

    def show(self, console: Console, page: Path | None = None) -> None:
        """Prints the report; ``page`` names where the HTML lies.

        Raises:
            BrokenPipeError: nobody reads it any more.
        """
        paths = [path and _short(path) for path in (self.path, page)]
        try:
            terminal.show(self.report, self.record, console, record_path=paths[0], html_path=paths[1])
        except SystemExit as broken:  # rich ends the process, with a status that is not the script's
            raise BrokenPipeError from broken

    def write_page(self, path: Path) -> None:
        """Writes the self-contained HTML report.

        Raises:
            UserError: it cannot be written there.
        """
        json_report.write_text(html.page(self.report, self.record), path)

    def write_json(self, path: Path) -> None:
        """Writes the documented JSON.

        Raises:
            UserError: it cannot be written there.
        """
        json_report.write(self.report, path)


def read_answer(path: Path) -> Answer:
    """Reads and diagnoses a record.

    Raises:
        UserError: the file is not a record, or damaged.
    """
    record = read(path)
    return Answer(record, diagnose(record), path)


def read_ended(path: Path, code: int | None) -> Answer:
    """The same for a run that has just ended; ``code`` is its exit code (``-N``: killed by signal N), where known.

    The code is added to the record, so that ``gradclinic diagnose`` says the same later.

    Raises:
        UserError: the file is not a record, or damaged.
    """
    if code is None:
        return read_answer(path)
    record = read(path)
    record = dataclasses.replace(record, ending=seen_ending(code, record.ending))
    assert record.ending is not None  # it was set on the line above
    with contextlib.suppress(sqlite3.Error):  # a full disk: then only this report knows how it ended
        amend(path, record.ending)
    return Answer(record, diagnose(record), path)


def no_answer(command: Command, code: int, reason: str) -> Answer:
    """The answer where nothing was recorded, and why."""
    record = Record(describe_run(command.argv[1:]), seen_ending(code, None))
    report = dataclasses.replace(diagnose(record), verdict="undecided", headline=reason, findings=(), undecided=())
    return Answer(record, report, None)


def _short(path: Path) -> Path:
    """``path`` as seen from here, where that is shorter."""
    try:
        return path.relative_to(Path.cwd())
    except (ValueError, OSError):
        return path
