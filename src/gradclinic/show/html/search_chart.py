"""A search over several settings: the trials in their order, and their values over each setting."""

from __future__ import annotations

import math
from collections.abc import Callable
from math import isfinite
from typing import Any

from gradclinic.schema.search import SearchReport, TriedRow

from ..search import PRUNED, best_so_far, measure_of, settings_say
from .figure import ALARM, KIND_COLOURS, LINE_COLOURS, NEUTRAL, Chart, log_axis, name, numbers

#: What became of a trial: its name, colour and symbol.
KINDS = (("whole", LINE_COLOURS[0], "circle"), ("stopped as hopeless", NEUTRAL, "circle-open"))
#: Where 1 - momentum has its labels.
MOMENTA = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99)
#: No weight decay has no place on a log axis: it stands a decade below the lowest one there can be.
NO_DECAY = 1e-7
#: Room at both ends of the values, as a share of their span.
ROOM = 0.08
#: Where the marks of those that ended stand, as a share of the axis.
EDGE = 0.02
#: Times the middle loss above which one has all but diverged.
FAR = 1e3


def history_chart(told: SearchReport) -> Chart | None:
    """The value of each trial and the best so far; None where nothing was tried."""
    if not told.trials:
        return None
    data = _dots(told, lambda row: row.number + 1)
    data.append(
        {"type": "scatter", "mode": "lines", "name": "best so far", "x": [row.number + 1 for row in told.trials],
         "y": numbers(best_so_far(told), 5), "line": {"color": KIND_COLOURS["shortcut"], "width": 2, "shape": "hv"},
         "hovertemplate": "after %{x}: %{y:.4g}<extra></extra>"}
    )  # fmt: skip
    ended = [row.number + 1 for row in told.trials if row.fate not in ("", PRUNED)]
    layout = _layout(told, {"title": {"text": "trial"}, "range": [0, len(told.trials) + 1]})
    if ended:
        low, high = layout["yaxis"]["range"]
        # Just inside the worse edge: plotly draws nothing that lies outside by a rounding error.
        place = low + (high - low) * (EDGE if told.by_metric else 1 - EDGE)
        worst = numbers([10**place if layout["yaxis"]["type"] == "log" else place], 6)
        data.append(
            {"type": "scatter", "mode": "markers", "name": "diverged or failed", "x": ended, "y": worst * len(ended),
             "marker": {"symbol": "x", "size": 9, "color": ALARM}, "cliponaxis": False,
             "hovertemplate": "trial %{x}<extra></extra>"}
        )  # fmt: skip
    says = f"The {measure_of(told)} of each trial at the last point at which it was looked at, and the best so far."
    return Chart("history", "The trials in their order", says, data, layout, 360)


def setting_charts(told: SearchReport) -> list[Chart]:
    """For each setting the values of the trials over it."""
    found = []
    for each in told.names if told.trials else ():
        data = _dots(told, lambda row, each=each: _place(each, row))  # type: ignore[misc]
        says = f"Each dot is a trial. The best ones close together: the {_title(each)} matters."
        layout = _layout(told, _axis(told, each))
        found.append(Chart(f"over-{each}", f"Over the {_title(each)}", says, data, layout, 320))
    return found


def _title(each: str) -> str:
    return "learning rate" if each == "lr" else each.replace("-", " ")


def _dots(told: SearchReport, x: Callable[[TriedRow], Any]) -> list[dict[str, Any]]:
    data = []
    for fate, (label, colour, symbol) in zip(("", PRUNED), KINDS, strict=True):
        rows = [row for row in told.trials if row.fate == fate and isfinite(row.reported[-1][1])]
        if rows:
            says = [name(f"trial {row.number + 1}, {row.steps:,} steps: {settings_say(row.settings)}") for row in rows]
            data.append(
                {"type": "scatter", "mode": "markers", "name": label, "x": [x(row) for row in rows],
                 "y": numbers((row.reported[-1][1] for row in rows), 5), "text": says,
                 "marker": {"size": 8, "color": colour, "symbol": symbol},
                 "hovertemplate": "%{y:.4g}<br>%{text}<extra></extra>"}
            )  # fmt: skip
    return data


def _place(each: str, row: TriedRow) -> float | str:
    value = row.settings[each]
    if isinstance(value, str):
        return value
    if each == "momentum":
        return 1 - value
    return value or NO_DECAY


def _axis(told: SearchReport, each: str) -> dict[str, Any]:
    title = {"title": {"text": _title(each)}}
    if each == "schedule":
        return title | {"type": "category", "categoryorder": "array", "categoryarray": told.space["schedule"]}
    if each == "momentum":
        marks = {"tickvals": [1 - momentum for momentum in MOMENTA], "ticktext": [f"{m:g}" for m in MOMENTA]}
        return title | marks | {"type": "log", "range": [0.05, -2.05]}
    low, high = told.space[each]
    axis = title | log_axis([low or NO_DECAY, high])
    if each == "weight-decay":
        decays = [10.0**place for place in range(-6, 1)]
        axis |= {"tickvals": [NO_DECAY, *decays], "ticktext": ["none", *(f"{decay:g}" for decay in decays)]}
    return axis


def _layout(told: SearchReport, x: dict[str, Any]) -> dict[str, Any]:
    return {
        "xaxis": x,
        "yaxis": {"title": {"text": measure_of(told)}} | _values_axis(told),
        "legend": {"orientation": "h", "y": 1.05, "yanchor": "bottom"},
        "margin": {"l": 60, "r": 10, "t": 60, "b": 45},
    }


def _values_axis(told: SearchReport) -> dict[str, Any]:
    """Losses that are all above 0 are shown by their decades; those far above the middle one have no place."""
    values = [row.reported[-1][1] for row in told.trials if row.fate in ("", PRUNED)]
    finite = sorted(value for value in values if isfinite(value)) or [0.0]
    low, high, middle = finite[0], finite[-1], finite[len(finite) // 2]
    if not told.by_metric and low > 0:
        low, high = math.log10(low), math.log10(min(high, FAR * middle))
    room = ROOM * (high - low) or 1.0
    kind = "linear" if told.by_metric or finite[0] <= 0 else "log"
    return {"type": kind, "range": numbers([low - room, high + room], 6)}
