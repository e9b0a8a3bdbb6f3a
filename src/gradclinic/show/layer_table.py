"""The table of layers with a bar in decades for each."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.console import Group, JustifyMethod, RenderableType
from rich.table import Table
from rich.text import Text

from gradclinic.schema.ledger import Ledger
from gradclinic.schema.record import Record

from . import words
from .layers import Fold, LayerRow, fold, layer_rows

#: Shown rows, where the terminal is high enough.
MAX_ROWS = 14

#: A bar's full length stands for at least so many decades, so that a healthy factor of two looks small.
MIN_SPAN = 4.0

_ASCII_TITLES = {"first ‖∇‖": "first |g|", "last ‖∇‖": "last |g|", "δ decades": "decades", "‖Δw‖/‖w‖": "|dw|/|w|"}

_STATE_WORDS = {"absent": "none", "not_stepped": "none", "zero": "0", "non_finite": "nan/inf"}


def layer_table(
    record: Record,
    ledger: Ledger | None,
    named: Sequence[str],
    *,
    width: int,
    max_rows: int = MAX_ROWS,
    plain_ascii: bool = False,
) -> RenderableType:
    """Layers from the first to the last, deep nets folded to about ``max_rows`` rows.

    ``named`` are the places that findings name; their layers are kept and coloured.  Columns that the width cannot
    hold, or that the record says nothing of, are left out.
    """
    rows = layer_rows(record, ledger)
    folded = fold(rows, max_rows, named)
    columns = _columns(rows, width)
    bars = max(min(width - sum(w for _, w in columns) - 2 * len(columns) - 2, 40), 0)
    low, high = _scale(rows)
    ellipsis = "..." if plain_ascii else "…"

    def fit(text: str) -> str:
        return words.ascii_only(text) if plain_ascii else text

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim", expand=False)
    for title, size in columns:
        left = title in ("layer", "type")
        # crop: rich's own ellipsis is not ASCII.
        justify: JustifyMethod = "left" if left else "right"
        shown = _ASCII_TITLES.get(title, title) if plain_ascii else title
        table.add_column(shown, width=size, no_wrap=True, overflow="crop", justify=justify)
    if bars >= 6:
        table.add_column(fit(_scale_title(low, high, bars)), width=bars, no_wrap=True, overflow="crop")
    flagged = [row for row in rows if row.names & set(named)]
    # Where most layers are named, colour would say nothing.
    flagged = flagged if len(flagged) <= len(rows) // 2 else []
    for row in folded:
        if isinstance(row, Fold):
            cells = [Text(fit(cell), "dim") for cell in _fold_cells(row, columns, bars)]
        else:
            style = "red" if row in flagged or row.state in ("non_finite", "absent") else ""
            cells = [Text(fit(_cell(row, title, size, ellipsis)), style) for title, size in columns]
            if bars >= 6:
                cells.append(_bar(row, low, high, bars, style or "cyan", plain_ascii))
        table.add_row(*cells)
    return Group(table, Text(_key(columns, plain_ascii=plain_ascii), "dim"))


def _key(columns: Sequence[tuple[str, int]], *, plain_ascii: bool) -> str:
    """What the columns mean, for who sees them for the first time."""
    norm, change = ("|g|", "decades") if plain_ascii else ("‖∇‖", "δ")
    meanings = {
        "last ‖∇‖": f"{norm} norm of the gradient of the weights",
        "δ decades": f"{change} what the layer does to the gradient on its way back",
    }
    return "; ".join(meanings[title] for title, _ in columns if title in meanings)


def _columns(rows: Sequence[LayerRow], width: int) -> list[tuple[str, int]]:
    """Titles and widths of the columns beside the bar, narrower and fewer on a narrow terminal."""
    longest = max((len(row.layer.name) for row in rows), default=5)
    columns = [("layer", max(min(longest, max(width // 5, 10)), 5))]
    if width >= 110:
        columns.append(("type", max(min(max(len(row.layer.type) for row in rows), 18), 4)))
    if width >= 90:
        columns.append(("first ‖∇‖", 9))
    columns.append(("last ‖∇‖", 8))
    for title, size, value in (
        ("δ decades", 9, "decades"), ("‖Δw‖/‖w‖", 9, "update"), ("dead", 5, "dead"), ("sat.", 5, "saturated"),
    ):  # fmt: skip
        seen = [getattr(row, value) for row in rows if getattr(row, value) is not None]
        # A column of 0% says nothing.
        if any(seen) or (seen and value in ("decades", "update")):
            columns.append((title, size))
    while len(columns) > 2 and sum(size + 2 for _, size in columns) > width:
        columns.pop()
    return columns


def _cell(row: LayerRow, title: str, size: int, ellipsis: str) -> str:
    match title:
        case "layer":
            return words.elide(words.plain(row.layer.name), size, ellipsis)
        case "type":
            return words.elide(words.plain(row.layer.type), size, ellipsis)
        case "first ‖∇‖":
            return words.number(row.first)
        case "last ‖∇‖":
            return _STATE_WORDS.get(row.state) or words.number(row.last)
        case "δ decades":
            return "–" if row.decades is None else words.signed(row.decades)
        case "‖Δw‖/‖w‖":
            return words.number(row.update)
        case "dead":
            return words.share(row.dead)
        case _:
            return words.share(row.saturated)


def _fold_cells(folded: Fold, columns: Sequence[tuple[str, int]], bars: int) -> list[str]:
    """A folded stretch: how many layers, and what they usually do to the gradient."""
    said = f"… {len(folded.rows)} {'similar' if similar(folded) else 'more'} layers …"
    decades = sorted(row.decades for row in folded.rows if row.decades is not None)
    cells = ["…" if bars >= len(said) else words.elide(f"… {len(folded.rows)} …", columns[0][1])]
    for title, _ in columns[1:]:
        cells.append(words.signed(decades[len(decades) // 2]) if title == "δ decades" and decades else "")
    return cells + ([said] if bars >= len(said) else [])


def similar(folded: Fold) -> bool:
    """Whether every folded layer treats the gradient alike: in the same state and within half a decade."""
    decades = [row.decades for row in folded.rows if row.decades is not None]
    spread = max(decades) - min(decades) if decades else 0.0
    return spread < 0.5 and len({row.state for row in folded.rows}) == 1


def _scale(rows: Sequence[LayerRow]) -> tuple[float, float]:
    """The bar's range in log10, from the smallest norm to the largest."""
    seen = [math.log10(row.last) for row in rows if row.last and row.state == "seen" and math.isfinite(row.last)]
    high = max(seen, default=0.0)
    return min(min(seen, default=0.0), high - MIN_SPAN), high


def _scale_title(low: float, high: float, width: int) -> str:
    left, right = f"1e{low:.0f}", f"1e{high:.0f}"
    return left + " " * max(width - len(left) - len(right), 1) + right


def _bar(row: LayerRow, low: float, high: float, width: int, style: str, plain_ascii: bool) -> Text:
    if row.state != "seen" or not row.last or not math.isfinite(row.last):
        mark = {"non_finite": "nan or inf", "absent": "no gradient", "zero": "exactly zero"}.get(row.state, "")
        return Text(words.elide(mark, width, "."), style or "red")
    # The smallest norm still gets half a character: nothing at all would read as zero.
    halves = max(round((math.log10(row.last) - low) / (high - low) * width * 2), 1)
    return Text("=" * -(-halves // 2) if plain_ascii else "━" * (halves // 2) + "╸" * (halves % 2), style)
