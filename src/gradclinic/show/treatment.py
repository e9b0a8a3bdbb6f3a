"""What a treatment tried and proved, in sentences and rows; shared by the terminal and the page."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gradclinic.schema.treatment import TreatmentReport, TrialRow

from .words import number, plain

ARMS = {"treated": "with the recipe", "untreated": "untreated", "random": "a random remedy"}


def proof_rows(told: TreatmentReport) -> list[tuple[str, str, str, str]]:
    """Arm, what it was, its values by seed, and the 95% interval of its gain over the untreated run."""
    return [
        (ARMS[row.arm or "treated"], _remedy(row), _values(row, by_metric=told.by_metric), _interval(row.interval))
        for row in told.proof
    ]


def round_rows(rows: Sequence[TrialRow]) -> list[tuple[str, str, str, str]]:
    """Remedy, steps, loss, and metric, the best loss first."""
    ranked = sorted(rows, key=lambda row: row.loss[0])
    return [
        (plain(row.remedy), f"{row.steps:,}", _ended(row) or number(row.loss[0], 4), _metric(row.metric[0]))
        for row in ranked
    ]


def screen_rows(told: TreatmentReport) -> list[tuple[str, str, str, str]]:
    """Remedy, decades between the ends of the window, and the ends; the widest first."""
    ranked = sorted(told.screened, key=lambda row: -row.width if row.width == row.width else math.inf)
    return [
        (plain(row.remedy), plain(row.why) if row.why else f"{row.width:.1f}", number(row.lr_min), number(row.lr_max))
        for row in ranked
    ]


def cost(told: TreatmentReport) -> str:
    """What it cost, and on what."""
    parts = ", ".join(f"{name} {spent:,.0f}" for name, spent in told.spent.items())
    return f"{told.cost:.2f} training runs of {told.steps:,} steps ({parts})"


def gains(told: TreatmentReport) -> str:
    """The two intervals in one line."""
    if told.gain is None or told.over_random is None:
        return ""
    what = "metric" if told.by_metric else "loss, its sign turned,"
    (mean, low, high), (other, other_low, other_high) = told.gain, told.over_random
    return (
        f"{what} {mean:+.3g} [{low:+.3g}, {high:+.3g}] over untreated, "
        f"{other:+.3g} [{other_low:+.3g}, {other_high:+.3g}] over random remedies (95% intervals)"
    )


def _remedy(row: TrialRow) -> str:
    if row.arm == "treated":
        return plain(row.remedy)
    return "as it is" if row.arm == "untreated" else "drawn anew for each seed"


def _values(row: TrialRow, *, by_metric: bool) -> str:
    values = row.metric if by_metric else row.loss
    shown = [_metric(v) if not end else f"{_metric(v)} ({end})" for v, end in zip(values, row.ended, strict=True)]
    return "  ".join(shown)


def _metric(value: float | None) -> str:
    return "–" if value is None else number(value, 3)


def _interval(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f"{interval[0]:+.3g} to {interval[1]:+.3g}"


def _ended(row: TrialRow) -> str:
    return plain(row.ended[0])[:40] if row.ended[0] else ""
