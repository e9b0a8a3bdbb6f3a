"""A search for the learning rate: the range test with its three readings, and the value of each rate."""

from __future__ import annotations

import math
from typing import Any

from gradclinic.schema.tuning import RangeCurve, RateRow, TuningReport

from ..tuning import READINGS, ceiling, measure_of, range_says, window_says
from ..words import number
from .figure import KIND_COLOURS, LINE_COLOURS, NEUTRAL, Chart, log_axis, numbers

#: Of the three readings: none is the curve's colour.
COLOURS = dict(zip(READINGS, (LINE_COLOURS[1], LINE_COLOURS[2], LINE_COLOURS[3]), strict=True))
CURVE = KIND_COLOURS["weight"]


def range_chart(curve: RangeCurve | None) -> Chart | None:
    """Raw and smoothed losses over the rate; None where there was no test."""
    if curve is None:
        return None
    rates = numbers(curve.rates)
    data: list[dict[str, Any]] = [
        _line(rates, numbers(curve.losses), "each batch", NEUTRAL, 1.0, 0.6),
        _line(rates, numbers(curve.smoothed), "smoothed", CURVE, 2.5, 1.0),
    ]
    for key, (_, words) in READINGS.items():
        rate = curve.suggestions[key]
        if rate is not None:
            at = min(range(len(curve.rates)), key=lambda place: abs(math.log(curve.rates[place] / rate)))
            data.append(
                {"type": "scatter", "mode": "markers", "name": f"{words}: {number(rate)}", "x": numbers([rate]),
                 "y": numbers([curve.smoothed[at]]), "marker": {"size": 14, "symbol": "diamond", "color": COLOURS[key]},
                 "hovertemplate": f"{words}: %{{x:.3g}}<extra></extra>"}
            )  # fmt: skip
    layout = _layout("loss", curve.rates)
    # Not higher: the last batches before the end would flatten the rest.
    top, lowest = ceiling(curve), min(curve.smoothed)
    room = 0.1 * (top - lowest) or 1.0
    layout["yaxis"]["range"] = numbers([lowest - room, top + room])
    return Chart("range", "The range test", f"{range_says(curve)}.", data, layout, 360)


def rates_chart(told: TuningReport) -> Chart | None:
    """One line per round, with the replicates as dots; None where nothing was trained."""
    data: list[dict[str, Any]] = []
    for place, part in enumerate(told.rounds):
        colour, label = LINE_COLOURS[place % len(LINE_COLOURS)], f"{part.steps:,} steps"
        rows = [row for row in part.rows if row.interval is not None]
        means = [(row.interval[0] if told.by_metric else -row.interval[0]) if row.interval else None for row in rows]
        dots = [(row.lr, value) for row in part.rows for value in _values(row, told) if value is not None]
        line = _line([row.lr for row in rows], numbers(means, 5), label, colour, 2.0, 1.0)
        data.append(line | {"mode": "lines+markers", "legendgroup": label})
        data.append(
            {"type": "scatter", "mode": "markers", "name": label, "legendgroup": label, "showlegend": False,
             "x": [lr for lr, _ in dots], "y": numbers((value for _, value in dots), 5),
             "marker": {"size": 5, "color": colour, "opacity": 0.55},
             "hovertemplate": "%{x:.3g}: %{y:.4g}<extra></extra>"}
        )  # fmt: skip
    if not data:
        return None
    layout = _layout(measure_of(told), [row.lr for part in told.rounds for row in part.rows])
    if told.lr is not None:
        layout["shapes"] = [
            {"type": "line", "x0": told.lr, "x1": told.lr, "y0": 0, "y1": 1, "yref": "paper",
             "line": {"color": KIND_COLOURS["shortcut"], "width": 2, "dash": "dot"}}
        ]  # fmt: skip
    says = "Each dot is one training, each line the mean of one round; the dotted line is the chosen rate."
    says += f" The window: {window_says(told)}."
    return Chart("rates", "The learning rates that were trained", says, data, layout, 380)


def _values(row: RateRow, told: TuningReport) -> tuple[float | None, ...]:
    return row.metric if told.by_metric else row.loss


def _line(x: list[Any], y: list[Any], name: str, colour: str, width: float, opacity: float) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "lines", "name": name, "x": x, "y": y, "opacity": opacity,
        "line": {"color": colour, "width": width}, "hovertemplate": "%{x:.3g}: %{y:.4g}<extra></extra>",
    }  # fmt: skip


def _layout(what: str, rates: Any) -> dict[str, Any]:
    return {
        "xaxis": {"title": {"text": "learning rate"}} | log_axis(rates),
        "yaxis": {"title": {"text": what}},
        "legend": {"orientation": "h", "y": 1.05, "yanchor": "bottom"},
        "margin": {"l": 60, "r": 10, "t": 60, "b": 45},
    }
