"""From a record to everything that is said about it: the report, on the terminal, as a page, as JSON."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console, RenderableType

from gradclinic.diagnose import diagnose
from gradclinic.schema.finding import Finding, Verdict
from gradclinic.schema.record import Record
from gradclinic.schema.report import Report
from gradclinic.show import html, json_report, terminal
from gradclinic.store import read
from gradclinic.store.amend import amend

from .command import Command
from .describe import describe_run
from .ending import seen_ending
from .place import seen_from_here


@dataclass(frozen=True, slots=True)
class Answer:
    """A run and what was found in it.  Prints itself as the terminal report, and shows itself in a notebook."""

    record: Record
    report: Report
    path: Path | None  #: of the record; None where nothing was recorded

    @property
    def verdict(self) -> Verdict:
        """Healthy, sick or undecided, as one word."""
        return self.report.verdict

    @property
    def headline(self) -> str:
        """The answer in one sentence."""
        return self.report.headline

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Most important first; the first is the origin."""
        return self.report.findings

    def to_dict(self) -> dict[str, Any]:
        """The documented JSON (``report.schema.json``) as plain data."""
        return self.report.to_dict()

    def __rich__(self) -> RenderableType:
        return terminal.render(self.report, self.record)

    def __str__(self) -> str:
        console = Console(file=io.StringIO(), width=80, color_system=None)
        with console.capture() as caught:
            console.print(self)
        return caught.get()

    def _repr_html_(self) -> str:
        return html.fragment(self.report, self.record)

    def show(self, console: Console, page: Path | None = None) -> None:
        """Prints the report; ``page`` names where the HTML lies.

        Raises:
            BrokenPipeError: nobody reads it any more.
        """
        paths = [path and seen_from_here(path) for path in (self.path, page)]
        try:
            terminal.show(self.report, self.record, console, record_path=paths[0], html_path=paths[1])
        except SystemExit as broken:  # rich ends the process, with a status that is not the script's
            raise BrokenPipeError from broken

    def save_html(self, path: Path) -> None:
        """Writes the self-contained HTML report.

        Raises:
            UserError: it cannot be written there.
        """
        json_report.write_text(html.page(self.report, self.record), path)

    def save_json(self, path: Path) -> None:
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
