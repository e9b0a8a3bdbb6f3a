"""What the charts share: their shape, their colours, and making untrusted names fit for plotly."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from gradclinic.schema.record import Record
from gradclinic.schema.report import Report

from .. import words

#: Colours that keep a contrast of 3:1 with a white and with a near-black page.
KIND_COLOURS: dict[str, str] = {
    "activation": "#e4572e",
    "weight": "#3d7dd8",
    "normalization": "#9467bd",
    "shortcut": "#2a9d6f",
    "loss": "#858c94",
    "other": "#b07d12",
}
LINE_COLOURS = ("#3d7dd8", "#e4572e", "#2a9d6f", "#9467bd")
NEUTRAL = "#7f8792"
ALARM = "#e5383b"


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart: a plotly figure as plain data, and what it says in words."""

    key: str  #: its id on the page
    title: str
    says: str  #: the text beside it, also the text for who cannot see it
    data: list[dict[str, Any]]
    layout: dict[str, Any]
    height: int  #: pixels
    legend: tuple[tuple[str, str], ...] = ()  #: (colour, meaning) of cells that no scale explains
    narrow: dict[str, Any] = field(default_factory=dict)  #: changes of the layout on a narrow screen

    def figure(self) -> dict[str, Any]:
        """What the page's script hands to plotly; strict JSON."""
        layout = {"height": self.height, **self.layout}
        return {"data": self.data, "layout": layout, "narrow": self.narrow}


def name(text: str, width: int | None = None) -> str:
    """An untrusted name as plotly text: plotly reads tags and entities, so they are escaped."""
    shown = words.plain(text)
    return html.escape(shown if width is None else words.elide(shown, width), quote=False)


def numbers(values: Iterable[float | None], digits: int = 4) -> list[float | None]:
    """Values for JSON: non-finite ones become null, the others keep ``digits`` significant digits."""
    return [None if value is None or not math.isfinite(value) else float(f"{value:.{digits}g}") for value in values]


def place_axis(names: Sequence[str], *, labels: int, width: int) -> dict[str, Any]:
    """An axis over the places of ``names`` that labels at most ``labels`` of them, evenly chosen."""
    every = max(1, math.ceil(len(names) / labels))
    places = list(range(0, len(names), every))
    return {
        "type": "linear",
        "tickmode": "array",
        "tickvals": places,
        "ticktext": [name(names[place], width) for place in places],
        "range": [-0.5, len(names) - 0.5],
        "automargin": True,
    }


def tick_of(step: int, record: Record) -> int:
    """The tick (all optimizers' steps counted together) at which some optimizer reached its ``step``."""
    if len(record.optimizers) <= 1:
        return step
    return next((row.tick for row in record.steps if row.step >= step), step)


def log_axis(values: Iterable[float]) -> dict[str, Any]:
    """A logarithmic axis in whole decades around positive ``values``, with at most about eight labels."""
    exponents = [math.log10(value) for value in values if value > 0 and math.isfinite(value)] or [0.0]
    low, high = math.floor(min(exponents) - 0.1), math.ceil(max(exponents) + 0.1)
    return {
        "type": "log", "range": [low, high], "dtick": max(1, math.ceil((high - low) / 8)), "tick0": low,
        "exponentformat": "power",
    }  # fmt: skip


def finding_marks(report: Report, record: Record) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Vertical lines (shapes) and their numbers (annotations) at the steps since which findings hold."""
    by_tick: dict[int, list[str]] = {}
    for place, finding in enumerate(report.findings, 1):
        if finding.step is not None and finding.severity != "note":
            by_tick.setdefault(tick_of(finding.step, record), []).append(str(place))
    shapes = [
        {"type": "line", "x0": tick, "x1": tick, "xref": "x", "y0": 0, "y1": 1, "yref": "paper",
         "line": {"color": ALARM, "width": 1.5, "dash": "dot"}}
        for tick in by_tick
    ]  # fmt: skip
    annotations = [
        {"x": tick, "xref": "x", "y": 1, "yref": "paper", "yanchor": "bottom", "showarrow": False,
         "text": "#" + ", #".join(places), "font": {"color": ALARM, "size": 12}, "xanchor": "left"}
        for tick, places in by_tick.items()
    ]  # fmt: skip
    return shapes, annotations
