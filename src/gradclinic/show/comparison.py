"""Optimizers side by side, in sentences and rows; on the terminal, and shared with the page."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from statistics import fmean

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from gradclinic.schema.comparison import ComparisonReport, NoiseRow, OptimizerRow

from .words import ascii_only, number, plain, share

#: Heads of the tables, with their widths in mind: a terminal has 80 columns.
RESULTS = ("optimizer", "rate", "steps", "loss", "95%", "metric", "")
TRAINING = ("optimizer", "window", "decades", "update", "margin", "ms a step")
NOISE = ("step", "noise scale", "95%", "a step's worth")
LARGER = ("batch", "steps", "samples")

#: Title, heads and rows of a table.
Grid = tuple[str, tuple[str, ...], list[tuple[str, ...]]]


def tables(told: ComparisonReport) -> list[Grid]:
    """Those that have rows; without columns in which nothing stands."""
    found = [
        ("What each came to", RESULTS, result_rows(told)),
        ("How each trained", TRAINING, training_rows(told)),
        (f"The noise of the gradient, with {told.noise_of}", NOISE, noise_rows(told)),
        ("What a larger batch needs to the same loss", LARGER, larger_rows(told)),
    ]
    return [_tidy(*each) for each in found if each[2]]


def _tidy(title: str, heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> Grid:
    kept = [place for place in range(len(heads)) if any(row[place] for row in rows)]
    return title, tuple(heads[place] for place in kept), [tuple(row[place] for place in kept) for row in rows]


def result_rows(told: ComparisonReport) -> list[tuple[str, ...]]:
    """What each came to, as :data:`RESULTS` says."""
    return [
        (
            row.name,
            number(row.lr),
            f"{row.steps:,}" if row.loss else "–",
            number(row.interval[0], 4) if row.interval else "–",
            _between(row),
            _metric(row),
            note(row, told),
        )
        for row in told.rows
    ]


def training_rows(told: ComparisonReport) -> list[tuple[str, ...]]:
    """How each trained, as :data:`TRAINING` says."""
    return [
        (row.name, _window(row), _decades(row), number(row.update), _margin(row), number(_ms(row)))
        for row in told.rows
        if row.trials
    ]


def noise_rows(told: ComparisonReport) -> list[tuple[str, ...]]:
    """The noise scale along a training, as :data:`NOISE` says."""
    row = next((row for row in told.rows if row.name == told.noise_of), None)
    return [
        (f"{noise.step:,}", number(noise.value), noise_interval(noise), _worth(noise, told.batch))
        for noise in (row.noise if row else ())
    ]


def larger_rows(told: ComparisonReport) -> list[tuple[str, ...]]:
    """What larger batches need, as :data:`LARGER` says."""
    return [
        (
            f"{each.size:,}" + (" (all)" if each.size == told.population else ""),
            share(each.steps),
            f"{number(each.samples)} times",
        )
        for each in told.larger
    ]


def note(row: OptimizerRow, told: ComparisonReport) -> str:
    """What there is to say of a row in words."""
    if row.why:
        return "does not train" if row.trials else "left out"
    failed = [plain(end) for end in row.ended if end]
    if failed:
        return f"{failed[0]} on {len(failed)} of {len(row.ended)} seeds"
    notes = []
    if row is told.rows[0] and row.interval is not None:
        notes.append("lowest")
    elif row.behind is not None and row.behind[1] <= (1 if told.ratios else 0):
        notes.append("as good")
    if row.cost > 1:
        notes.append(f"{row.cost:,} gradients a step")
    if row.at_edge:
        notes.append("rate at the end of the grid")
    return ", ".join(notes)


def facts(told: ComparisonReport) -> list[tuple[str, str]]:
    """What else is to be known, by name."""
    seeds = ", ".join(map(str, told.seeds))
    trials = sorted({row.trial_steps for row in told.rows if row.trial_steps}, reverse=True)
    trial = " or ".join(f"{steps:,}" for steps in trials)
    parts = ", ".join(f"{row.name} {sum(row.spent.values()):,.0f}" for row in told.rows if row.spent)
    return [
        *((row.name, row.why) for row in told.rows if row.why),
        ("seeds", f"{seeds}; the rates were chosen on {', '.join(map(str, told.search_seeds))} in {trial} steps"),
        (
            "loss",
            f"of the last quarter of the steps, {'geometric' if told.ratios else 'arithmetic'} mean over the seeds",
        ),
        ("decades", f"of rates that keep {share(told.kept)} of the best rate's fall of the loss, in those steps"),
        ("update", "median ‖Δw‖/‖w‖ of a step over the weights, in the last quarter"),
        ("margin", "the limit of stability over the rate, at the end: below 1 it is beyond it"),
        ("cost", f"{told.cost:.1f} training runs of {told.steps:,} steps (gradients: {parts})"),
    ]


def noise_interval(noise: NoiseRow) -> str:
    """Its ends; the lower one where there is no other."""
    if isfinite(noise.high):
        return f"{number(noise.low)} to {number(noise.high)}"
    return f"at least {number(noise.low)}" if noise.low > 0 else "cannot be told"


def render(told: ComparisonReport) -> RenderableType:
    """As something that rich can print; ASCII where the terminal has no more."""
    return _Shown(told)


class _Shown:
    def __init__(self, told: ComparisonReport) -> None:
        self._told = told

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        told, only = self._told, options.ascii_only

        def text(content: str, style: str = "") -> Text:
            return Text(ascii_only(content) if only else content, style=style)

        def table(heads: Sequence[str], rows: Sequence[tuple[str, ...]]) -> Table:
            made = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
            for place, head in enumerate(heads):
                made.add_column(
                    text(head, "dim"), justify="right" if place and head else "left", no_wrap=not place, overflow="fold"
                )
            for cells in rows:
                style = "bold green" if cells[-1].startswith("lowest") else ""
                made.add_row(*(text(cell, style) for cell in cells))
            return made

        yield ""
        badge, colour = (" INTERRUPTED ", "yellow") if told.interrupted else (" COMPARED ", "green")
        yield Text.assemble(text(badge, f"bold reverse {colour}"), "  ").append(text(plain(told.headline), "bold"))
        for _, heads, rows in tables(told):
            yield ""
            yield table(heads, rows)
        yield ""
        for sentence in told.says:
            yield text(plain(sentence))
        yield ""
        grid = Table.grid(padding=(0, 1, 0, 0))
        grid.add_column(width=10, no_wrap=True)
        grid.add_column(overflow="fold")
        for name, content in facts(told):
            grid.add_row(text(name, "dim"), text(plain(content)))
        yield grid


def _between(row: OptimizerRow) -> str:
    if row.interval is None or len(row.loss) < 2:
        return ""
    return f"{number(row.interval[1])} to {number(row.interval[2])}"


def _metric(row: OptimizerRow) -> str:
    seen = [value for value in row.metric if value is not None]
    return number(fmean(seen), 4) if seen else ""


def _window(row: OptimizerRow) -> str:
    if not row.window or row.window["why"]:
        return "not known"
    return f"{number(row.window['low'])} to {number(row.window['stable'])}"


def _ms(row: OptimizerRow) -> float | None:
    return None if row.seconds is None else 1000 * row.seconds


def _decades(row: OptimizerRow) -> str:
    if row.decades is None:
        return "–"
    return f"{row.decades:.1f}" if all(row.band_ends) else f"≥ {row.decades:.1f}"


def _margin(row: OptimizerRow) -> str:
    return "–" if row.margin is None else number(row.margin)


def _worth(noise: NoiseRow, batch: int) -> str:
    """1/(1 + B_noise/B), of a step by the whole gradient."""
    if noise.value is None:
        return f"at most {share(1 / (1 + noise.low / batch))}" if noise.low > 0 else "–"
    return share(1 / (1 + noise.value / batch))
