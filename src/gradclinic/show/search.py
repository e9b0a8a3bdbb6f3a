"""A search over several settings, in sentences and rows; on the terminal, and shared with the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isfinite
from statistics import fmean

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from gradclinic.schema.search import FinalRow, Finals, SearchReport, TriedRow

from .tuning import range_lines, range_says, window_text
from .words import ascii_only, number, plain, plural, sparkline

#: Trials that the terminal shows; the page has all of them.
SHOWN = 8
#: Columns of the curve of the best value so far.
CURVE = 60
PRUNED = "pruned"

#: Heads and rows of a table.
Grid = tuple[tuple[str, ...], list[tuple[str, ...]]]


def setting_says(name: str, value: float | str) -> str:
    """A setting and its value in words."""
    if name == "schedule":
        return "no schedule" if value == "none" else f"{value} schedule"
    if name == "lr":
        return f"learning rate {number(value)}"
    words = name.replace("-", " ")
    return f"{words} {number(value)}" if value else f"no {words}"


def settings_say(settings: Mapping[str, float | str]) -> str:
    """All of them in a line."""
    return ", ".join(setting_says(*each) for each in settings.items()) or "your own settings"


def measure_of(told: SearchReport) -> str:
    """What the trials are judged by."""
    return "metric" if told.by_metric else "loss"


def ordered(told: SearchReport) -> list[TriedRow]:
    """The whole trials, the best first; then the others, those that came further first."""
    sign = -1 if told.by_metric else 1
    whole = [row for row in told.trials if row.value is not None]
    others = [row for row in told.trials if row.value is None]
    return sorted(whole, key=lambda row: sign * (row.value or 0.0)) + sorted(others, key=lambda row: -row.steps)


def best_so_far(told: SearchReport) -> list[float | None]:
    """After each trial; None before the first whole one."""
    found: list[float | None] = []
    for row in told.trials:
        last = found[-1] if found else None
        value = row.value if row.value is not None and isfinite(row.value) else None
        if last is None or value is None:
            found.append(last if value is None else value)
        else:
            found.append(max(last, value) if told.by_metric else min(last, value))
    return found


def trial_grid(told: SearchReport, most: int | None = None) -> Grid:
    """Each trial with its settings, steps, value, and what became of it; at most ``most`` of them."""
    finalists = [row.settings for row in told.finals.rows] if told.finals else []
    heads = ("trial", *(_head(name) for name in told.names), "steps", measure_of(told), "")
    rows = [
        (
            str(row.number + 1),
            *(_cell(row.settings.get(name)) for name in told.names),
            f"{row.steps:,}",
            number(_last(row), 4),
            _note(row, told, finalist=row.settings in finalists),
        )
        for row in ordered(told)[:most]
    ]
    return heads, rows


def final_grid(those: Finals) -> Grid:
    """Settings on fresh seeds: the mean of their values, and the gain over the user's own with its interval."""
    heads = ("settings", "metric" if those.by_metric else "loss", "gain over yours", "95%")
    return heads, [(_name(row), _mean(row, those), *_gain(row)) for row in those.rows]


def final_tables(told: SearchReport) -> list[tuple[str, Grid]]:
    """The comparisons that confirm, with their titles."""
    titles = ("The best of them on fresh seeds", "The best of those on other fresh seeds")
    return [
        (f"{title} ({plural(len(those.seeds), 'seed')}, {those.steps:,} steps)", final_grid(those))
        for title, those in zip(titles, (told.finals, told.proof), strict=True)
        if those is not None
    ]


def counts(told: SearchReport) -> str:
    """What became of the trials."""
    whole = sum(not row.fate for row in told.trials)
    pruned = sum(row.fate == PRUNED for row in told.trials)
    ended = len(told.trials) - whole - pruned
    said = f"{whole} whole ({told.trial_steps:,} steps), {pruned} stopped as hopeless, {ended} diverged or failed"
    left = told.asked - len(told.trials)
    if left and not told.interrupted:
        said += f"; the budget was spent before the last {left} of {told.asked}: give a larger --budget"
    return said


def space_says(told: SearchReport) -> str:
    """Between which values each setting was searched."""
    parts = []
    for name, ends in told.space.items():
        texts = [each if isinstance(each, str) else number(each) for each in ends]
        parts.append(f"{_head(name)} " + (" to ".join(texts) if name != "schedule" else ", ".join(texts)))
    return "; ".join(parts)


def cost(told: SearchReport) -> str:
    """What it cost, and on what."""
    parts = ", ".join(f"{name} {spent:,.0f}" for name, spent in told.spent.items())
    return f"{told.cost:.2f} training runs of {told.steps:,} steps ({parts})"


def facts(told: SearchReport) -> list[tuple[str, str]]:
    """What else there is to say, by what it is about."""
    found = [("trials", counts(told)), ("searched", space_says(told)), ("yours", settings_say(told.own))]
    found += [("window", window_text(told.window))] if told.window else []
    found += [("range", range_says(told.range_test))] if told.range_test is not None else []
    return [*found, ("cost", cost(told))]


def badge(told: SearchReport) -> tuple[str, str]:
    """What was reached, in a word, and its colour."""
    if told.interrupted:
        return "INTERRUPTED", "yellow"
    return ("TUNED", "green") if told.best else ("KEPT", "yellow")


def render(told: SearchReport) -> RenderableType:
    """As something that rich can print; ASCII where the terminal has no more."""
    return _Shown(told)


class _Shown:
    def __init__(self, told: SearchReport) -> None:
        self._told = told

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        told, plain_ascii = self._told, options.ascii_only

        def text(content: str, style: str = "") -> Text:
            return Text(ascii_only(content) if plain_ascii else content, style=style)

        yield ""
        done, colour = badge(told)
        yield text(f" {done} ", f"bold reverse {colour}").append("  ").append(text(plain(told.headline), "bold"))
        yield ""
        if told.range_test is not None:
            yield from (text(line, "cyan") for line in range_lines(told.range_test, plain_ascii=plain_ascii))
            yield ""
        if told.trials:
            yield _table(trial_grid(told, SHOWN), plain_ascii=plain_ascii)
            yield from (text(line, "cyan") for line in _curve(told, plain_ascii=plain_ascii))
            yield ""
        for title, grid in final_tables(told):
            yield text(title, "dim")
            yield _table(grid, plain_ascii=plain_ascii)
            yield ""
        grid_of_facts = Table.grid(padding=(0, 1, 0, 0))
        grid_of_facts.add_column(width=9, no_wrap=True)
        grid_of_facts.add_column(overflow="fold")
        for name, content in facts(told):
            grid_of_facts.add_row(text(name, "dim"), text(content))
        yield grid_of_facts
        if told.code:
            yield Group(text("change", "dim"), *(text(f"    {line}", "cyan") for line in told.code.splitlines()))


def _curve(told: SearchReport, *, plain_ascii: bool) -> Iterator[str]:
    """The best value after each trial, as a row of blocks."""
    best = [value for value in best_so_far(told) if value is not None]
    if len(best) > 1:
        line = sparkline(best, min(CURVE, len(best)), unicode=not plain_ascii)
        yield ""
        yield f"best so far  {line}  {number(best[0], 4)} to {number(best[-1], 4)}"


def _table(grid: Grid, *, plain_ascii: bool) -> Table:
    heads, rows = grid
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for head in heads:
        left = head in ("", "settings", "schedule")
        table.add_column(Text(head, "dim"), justify="left" if left else "right", no_wrap=head != "settings")
    for row in rows:
        style = "bold green" if row[-1] == "proven" else ""
        table.add_row(*(Text(ascii_only(cell) if plain_ascii else cell, style) for cell in row))
    return table


def _head(name: str) -> str:
    return name.replace("-", " ")


def _cell(value: float | str | None) -> str:
    return value if isinstance(value, str) else number(value)


def _last(row: TriedRow) -> float | None:
    """The last value that was reported and is a number."""
    return next((value for _, value in reversed(row.reported) if isfinite(value)), None)


def _note(row: TriedRow, told: SearchReport, *, finalist: bool) -> str:
    if row.fate:
        return "stopped" if row.fate == PRUNED else plain(row.fate)[:40]
    if told.best == row.settings:
        return "proven"
    return "finalist" if finalist else ""


def _name(row: FinalRow) -> str:
    return settings_say(row.settings) if row.settings else "yours"


def _mean(row: FinalRow, those: Finals) -> str:
    ended = next((why for why in row.ended if why), "")
    if ended:
        return plain(ended)[:30]
    values = [value for value in (row.metric if those.by_metric else row.loss) if value is not None]
    return number(fmean(values), 4) if values else "–"


def _gain(row: FinalRow) -> tuple[str, str]:
    if row.gain is None:
        return "", ""
    mean, low, high = row.gain
    return f"{'+' if mean >= 0 else ''}{number(mean)}", f"{number(low)} to {number(high)}"
