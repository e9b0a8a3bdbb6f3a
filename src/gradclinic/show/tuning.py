"""A search for the learning rate, in sentences and rows; on the terminal, and shared with the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import log10
from typing import Any

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from gradclinic.schema.tuning import RangeCurve, RateRow, TuningReport

from .words import ascii_only, number, plain, plural, sparkline

#: The readings of a range test: their letter below the curve, and what they are.
READINGS = {
    "steepest": ("S", "steepest fall"),
    "valley": ("V", "valley"),
    "minimum": ("M", "minimum / 10"),
}
#: Columns of a bar, and of the curve of the range test.
BAR, CURVE = 14, 60


def measure_of(told: TuningReport) -> str:
    """What decides."""
    return "metric" if told.by_metric else "loss"


def rate_rows(told: TuningReport) -> list[tuple[str, str, str, str, str, float]]:
    """Each rate at the last round it came to, the lowest first.

    Rate, steps, value, its 95% interval, a note, and the share of the way from the worst to the best of its round.
    """
    last: dict[float, tuple[int, RateRow]] = {}
    for part in told.rounds:
        last |= {row.lr: (part.steps, row) for row in part.rows}
    return [
        (number(lr), f"{steps:,}", _value(row, told), _interval(row, told), _note(row, told), _height(row, steps, told))
        for lr, (steps, row) in sorted(last.items())
    ]


def window_says(told: TuningReport) -> str:
    """The window in a sentence."""
    return window_text(told.window)


def window_text(window: Mapping[str, Any]) -> str:
    """A window in a sentence; it has nothing where it was not measured."""
    if not window:
        return "not measured"
    if window["why"]:
        return f"not known: {plain(window['why'])}"
    return f"{number(window['low'])} to {number(window['stable'])}, a start at {number(window['start'])}"


def suggestion_rows(curve: RangeCurve) -> list[tuple[str, str]]:
    """The three readings and their rates."""
    return [(words, number(curve.suggestions[key])) for key, (_, words) in READINGS.items()]


def range_says(curve: RangeCurve) -> str:
    """The range test in a sentence."""
    readings = ", ".join(f"{words} {rate}" for words, rate in suggestion_rows(curve))
    end = "diverged at" if curve.diverged else "ended at"
    return (
        f"{plural(len(curve.rates), 'step')} from {number(curve.rates[0])}, {end} {number(curve.rates[-1])}: {readings}"
    )


def cost(told: TuningReport) -> str:
    """What it cost, and on what."""
    parts = ", ".join(f"{name} {spent:,.0f}" for name, spent in told.spent.items())
    return f"{told.cost:.2f} training runs of {told.steps:,} steps ({parts})"


def edge(told: TuningReport) -> str:
    """What to do where the best rate is the last one of the grid."""
    if not told.at_edge:
        return ""
    return "the best rate lies at an end of what was tried: look further with --range LOW HIGH"


def render(told: TuningReport) -> RenderableType:
    """As something that rich can print; ASCII where the terminal has no more."""
    return _Shown(told)


class _Shown:
    def __init__(self, told: TuningReport) -> None:
        self._told = told

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        plain_ascii = options.ascii_only

        def text(content: str, style: str = "") -> Text:
            return Text(ascii_only(content) if plain_ascii else content, style=style)

        told = self._told
        yield ""
        done = "TUNED" if told.lr is not None else "INTERRUPTED"
        yield Text.assemble(text(f" {done} ", "bold reverse green" if told.lr else "bold reverse yellow"), "  ").append(
            text(plain(told.headline), "bold")
        )
        yield ""
        if told.range_test is not None:
            yield from (text(line, "cyan") for line in range_lines(told.range_test, plain_ascii=plain_ascii))
            yield ""
        if told.rounds:
            yield _table(told, plain_ascii=plain_ascii)
            yield ""
        facts = [("window", window_says(told)), ("your rate", number(told.own)), ("cost", cost(told))]
        if told.range_test is not None:
            facts.insert(1, ("range", range_says(told.range_test)))
        facts += [("note", edge(told))] if told.at_edge else []
        grid = Table.grid(padding=(0, 1, 0, 0))
        grid.add_column(width=9, no_wrap=True)
        grid.add_column(overflow="fold")
        for name, content in facts:
            grid.add_row(text(name, "dim"), text(content))
        yield grid
        if told.code:
            yield Group(text("change", "dim"), *(text(f"    {line}", "cyan") for line in told.code.splitlines()))


def range_lines(curve: RangeCurve, *, plain_ascii: bool = False) -> Iterator[str]:
    """The smoothed loss over the rising rate as a row of blocks, the readings below it, and the ends."""
    width = min(CURVE, len(curve.smoothed))
    marks = [" "] * width
    for key, rate in curve.suggestions.items():
        if rate is not None:
            marks[_column(curve, rate, width)] = READINGS[key][0]
    low, high = number(curve.rates[0]), number(curve.rates[-1])
    yield "loss  " + sparkline([min(loss, ceiling(curve)) for loss in curve.smoothed], width, unicode=not plain_ascii)
    yield "      " + "".join(marks).rstrip()
    yield f"lr    {low}{high.rjust(max(width - len(low), len(high) + 1))}"
    yield "      " + ", ".join(f"{letter} {words}" for letter, words in READINGS.values())


def ceiling(curve: RangeCurve) -> float:
    """What is drawn of the loss at most: half its fall above the start; beyond that the end would flatten the rest."""
    start, lowest = curve.smoothed[0], min(curve.smoothed)
    return start + (start - lowest) / 2 if start > lowest else max(curve.smoothed)


def _column(curve: RangeCurve, rate: float, width: int) -> int:
    share = log10(rate / curve.rates[0]) / max(log10(curve.rates[-1] / curve.rates[0]), 1e-9)
    return min(max(int(share * width), 0), width - 1)


def _table(told: TuningReport, *, plain_ascii: bool) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    names = ("learning rate", "steps", measure_of(told), "95%", "", "")
    for name in names:
        table.add_column(Text(name, "dim"), justify="right" if name else "left", no_wrap=bool(name))
    block = "#" if plain_ascii else "█"
    for lr, steps, value, interval, note, height in rate_rows(told):
        style = "bold green" if note.startswith("chosen") else ""
        cells = (lr, steps, value, interval, block * round(height * BAR), note)
        table.add_row(*(Text(ascii_only(cell) if plain_ascii else cell, style) for cell in cells))
    return table


def _value(row: RateRow, told: TuningReport) -> str:
    if row.interval is None:
        return plain(next(end for end in row.ended if end))[:30] if any(row.ended) else "–"
    return number(row.interval[0] if told.by_metric else -row.interval[0], 4)


def _interval(row: RateRow, told: TuningReport) -> str:
    if row.interval is None or len(row.loss) < 2:
        return ""
    _, low, high = row.interval
    ends = (low, high) if told.by_metric else (-high, -low)
    return " to ".join(number(end) for end in ends)


def _note(row: RateRow, told: TuningReport) -> str:
    notes = ["chosen"] if row.lr == told.lr else ["as good"] if row.lr in told.plateau else []
    return ", ".join(notes + (["yours"] if row.lr == told.own else []))


def _height(row: RateRow, steps: int, told: TuningReport) -> float:
    means = [each.interval[0] for part in told.rounds for each in part.rows if part.steps == steps and each.interval]
    if row.interval is None or not means:
        return 0.0
    low, high = min(means), max(means)
    return (row.interval[0] - low) / (high - low) if high > low else 1.0
