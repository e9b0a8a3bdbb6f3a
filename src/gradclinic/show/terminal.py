"""The report in a terminal: what is wrong, where, why and what to do, on the first screen."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gradclinic.schema.finding import Finding, NotEnoughData
from gradclinic.schema.record import Record
from gradclinic.schema.report import Report
from gradclinic.schema.treatment import TreatmentReport

from . import treatment, words
from .checkup import theory, unmeasured
from .layer_table import MAX_ROWS, layer_table
from .summary import Facts, account, badge_of, facts, headline, run_line
from .window_axis import window_lines

#: Longer lines of prose are hard to read; tables may use the whole width.
PROSE_WIDTH = 96

VERDICT_STYLES = {"healthy": "green", "sick": "red", "undecided": "yellow"}
SEVERITY_STYLES = {"critical": "red", "warning": "yellow", "note": "dim"}

#: Evidence beyond this many numbers is for the page.
_EVIDENCE_SHOWN = 6

#: A report with two findings has about so many lines beside its table.
_LINES_BESIDE_TABLE = 36


@dataclass(frozen=True)
class TerminalReport:
    """A rich renderable.  It asks the console for its width and for whether it can show Unicode."""

    report: Report
    record: Record | None
    width: int | None = None
    record_path: str | Path | None = None
    html_path: str | Path | None = None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = min(self.width or options.max_width, options.max_width)
        # Whoever looks at a small screen sees its last lines first; a shorter table keeps the verdict on it.
        rows = max(6, min(MAX_ROWS, console.height - _LINES_BESIDE_TABLE)) if options.is_terminal else MAX_ROWS
        yield from _Writer(self, width, rows, plain_ascii=options.ascii_only).everything()


def render(
    report: Report,
    record: Record | None = None,
    *,
    width: int | None = None,
    record_path: str | Path | None = None,
    html_path: str | Path | None = None,
) -> RenderableType:
    """The report as something that rich can print.

    ``width`` limits the columns (default: the console's).  The two paths are named at the end, with the commands to
    look again.
    """
    return TerminalReport(report, record, width, record_path, html_path)


def show(
    report: Report,
    record: Record | None = None,
    console: Console | None = None,
    *,
    record_path: str | Path | None = None,
    html_path: str | Path | None = None,
) -> None:
    """Prints the report to ``console`` (default: standard output, without colour when it is not a terminal)."""
    # Numbers and names in the text are not to be coloured by rich's own guesses.
    console = console or Console(highlight=False)
    console.print(render(report, record, record_path=record_path, html_path=html_path), highlight=False)


class _Writer:
    """Builds the parts for one width."""

    def __init__(self, what: TerminalReport, width: int, max_rows: int, *, plain_ascii: bool) -> None:
        self.what = what
        self.max_rows = max_rows
        self.width = width
        self.prose = min(width, PROSE_WIDTH)
        self.ascii = plain_ascii

    def text(self, content: str, style: str = "") -> Text:
        """Untrusted or Unicode text made fit for this terminal; never read as markup."""
        content = words.plain(content)
        return Text(words.ascii_only(content) if self.ascii else content, style=style)

    def everything(self) -> Iterator[RenderableType]:
        report, record = self.what.report, self.what.record
        known = facts(report, record)
        named = [name for finding in report.findings for name in finding.where]
        problems = [finding for finding in report.findings if finding.severity != "note"]
        notes = [finding for finding in report.findings if finding.severity == "note"]
        yield ""
        yield self.headline()
        if report.treatment is not None:
            yield from self.treatment(report.treatment)
        for place, finding in enumerate(problems, 1):
            yield ""
            yield self.finding(finding, place if len(problems) > 1 else None)
        if report.window is not None:
            yield ""
            yield from self.window(report.window)
        # A healthy run is answered in a few lines; its table is on the page.
        if report.kind != "treat" and report.verdict != "healthy" and record is not None and record.parameters:
            yield ""
            yield layer_table(
                record, report.ledger, named, width=self.width, max_rows=self.max_rows, plain_ascii=self.ascii
            )
        yield ""
        yield from (self.note(finding) for finding in notes)
        yield from self.facts(known, report)
        yield from self.paths()
        yield ""

    def headline(self) -> RenderableType:
        report = self.what.report
        colour, word = badge_of(report)
        badge = self.text(f" {words.VERDICT_SYMBOLS[colour]} {word.upper()} ", f"bold reverse {VERDICT_STYLES[colour]}")
        line = _columns(badge.cell_len, self.prose)
        line.add_row(badge, self.text(headline(report), "bold"))
        return line

    def finding(self, finding: Finding, place: int | None) -> RenderableType:
        """One finding behind a bar in its severity's colour."""
        style = SEVERITY_STYLES[finding.severity]
        title = Text()
        title.append_text(self.text(f"{place}. " if place else "", f"bold {style}"))
        title.append_text(self.text(words.condition(finding.condition), f"bold {style}"))
        title.append_text(self.text(f" — {words.cause(finding.cause)}", "bold"))
        body: list[Text] = [title, self.where(finding), self.text(finding.explanation)]
        if finding.action:
            body.append(Text.assemble(self.text("▸ Do first: ", "bold green"), self.text(finding.action, "bold")))
        if finding.evidence:
            body.append(self.evidence(finding))
        if finding.source:
            body.append(self.text(f"Source: {finding.source}", "dim"))
        return _barred(body, self.text("┃", style), self.prose)

    def where(self, finding: Finding) -> Text:
        pieces = [words.many(finding.where, 4)] if finding.where else []
        if finding.step is not None:
            pieces.append(f"since step {finding.step:,}")
        pieces.append(f"{words.share(finding.confidence)} sure")
        pieces.append(finding.severity)
        return self.text(" · ".join(pieces), "cyan")

    def evidence(self, finding: Finding) -> Text:
        """The first numbers behind a finding, names dim and values not."""
        shown = list(finding.evidence.items())[:_EVIDENCE_SHOWN]
        line = Text()
        for place, (name, item) in enumerate(shown):
            line.append_text(self.text((" · " if place else "") + words.label(name) + " ", "dim"))
            line.append_text(self.text(words.value(item, 3)))
        more = len(finding.evidence) - len(shown)
        return line.append_text(self.text(f" · {more} more on the page", "dim")) if more else line

    def window(self, window: dict[str, Any]) -> Iterator[RenderableType]:
        """Which learning rates can train it, and where the user's lies."""
        axis, labels = window_lines(window, max(self.prose - 12, 24), plain_ascii=self.ascii)
        colour = "green" if window["state"] == "inside" else "red"
        yield self.labelled("window", axis, colour)
        yield self.labelled("", labels)

    def treatment(self, told: TreatmentReport) -> Iterator[RenderableType]:
        """The proof as a small table, what it cost, and the lines for the user's program."""
        if told.proof:
            table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
            for name in ("", "what", "by seed", "gain, 95%"):
                table.add_column(self.text(name, "dim"), overflow="fold")
            for row in treatment.proof_rows(told):
                style = "bold green" if row[0] == treatment.ARMS["treated"] and told.cured else ""
                table.add_row(*(self.text(cell, style) for cell in row))
            yield ""
            yield table
            yield ""
            yield self.labelled("gain", treatment.gains(told))
        for rows in told.rounds[-2:-1] if not told.proof else ():
            for remedy, steps, loss, metric in treatment.round_rows(rows):
                yield self.labelled("tried", f"{remedy}: loss {loss}, metric {metric} after {steps} steps")
        yield self.labelled("cost", treatment.cost(told))
        if told.diff or told.code:
            yield self.labelled("change", "")
            for line in (told.diff or told.code).splitlines():
                yield Padding(self.text(line, "cyan"), (0, 0, 0, 4))

    def note(self, finding: Finding) -> RenderableType:
        """A note in one dim line or two."""
        place = f" ({words.many(finding.where, 2)})" if finding.where else ""
        return self.labelled("note", f"{words.condition(finding.condition)}{place}: {finding.explanation}", "dim")

    def facts(self, known: Facts, report: Report) -> Iterator[RenderableType]:
        said = account(report.ledger)
        if said and report.verdict != "healthy" and report.kind != "treat":
            step = "" if report.ledger_step is None else f" (step {report.ledger_step:,})"
            yield self.labelled("ledger", said.removesuffix(".") + step)
        yield self.labelled("run", " · ".join(run_line(known)), after=self.sparkline(known))
        if known.guard:
            yield self.labelled("guard", known.guard)
        if known.error:
            yield self.labelled("error", known.error, "red")
        if known.unseen:
            yield self.labelled("unseen", "; ".join(known.unseen), "dim")
        for told in theory(report) if report.kind != "treat" else ():
            yield self.labelled("theory", told)
        missing = unmeasured(report)
        if missing:
            yield self.labelled("missing", missing, "dim")
        if report.undecided and report.kind == "run":
            yield self.labelled("unjudged", _unjudged(report.undecided), "dim")

    def sparkline(self, known: Facts) -> Text:
        losses = [loss for _, loss in known.losses]
        if len(losses) < 3 or self.width < 60:
            return Text()
        curve = words.sparkline(losses, 20, unicode=not self.ascii)
        return Text("  ").append(curve, "cyan")

    def paths(self) -> Iterator[RenderableType]:
        if self.what.record_path is not None:
            yield self.labelled("record", str(self.what.record_path))
        if self.what.html_path is not None:
            yield self.labelled("page", str(self.what.html_path))
        if self.what.record_path is not None:
            yield self.labelled("again", f"gradclinic diagnose {shlex.quote(str(self.what.record_path))}")

    def labelled(self, name: str, content: str, style: str = "", after: Text | None = None) -> RenderableType:
        row = _columns(8, self.prose)
        value = self.text(content, style)
        row.add_row(self.text(name, "dim"), value if after is None else value.append_text(after))
        return row


def _columns(first: int, width: int) -> Table:
    """Two columns: one of fixed width and one that wraps."""
    table = Table.grid(padding=(0, 2, 0, 0), expand=False)
    table.add_column(width=first, no_wrap=True)
    table.add_column(max_width=max(width - first - 3, 20), overflow="fold")
    return table


def _barred(body: Sequence[Text], bar: Text, width: int) -> RenderableType:
    """Lines of text with a bar down their left side, also where they wrap."""
    console = Console(width=max(width - 2, 18), force_terminal=False, color_system=None)
    table = Table.grid(padding=0)
    table.add_column(width=2)
    table.add_column()
    for text in body:
        for line in text.wrap(console, max(width - 3, 18), overflow="fold"):
            line.rstrip()
            table.add_row(bar, line)
    return Padding(table, 0, expand=False)


def _unjudged(items: Sequence[NotEnoughData]) -> str:
    pieces = [f"{words.condition(item.condition).lower()} (needs {item.missing})" for item in items[:4]]
    more = len(items) - len(pieces)
    return "; ".join(pieces) + (f"; and {more} more" if more else "")
