"""The window of learning rates on a logarithmic axis, with the user's own rate in it or outside."""

from __future__ import annotations

from typing import Any

from gradclinic.schema.report import Report

from .. import words
from ..window_axis import axis_of
from .figure import ALARM, KIND_COLOURS, NEUTRAL, Chart, numbers

#: Where the learning rate lies, in words.
PLACES = {
    "inside": "inside the window",
    "below": "below the window: the budget is over before anything is learned",
    "above": "above the window: steps overshoot",
    "empty": "and the window is empty: no learning rate can train this",
}


def window_chart(report: Report) -> Chart | None:
    """A bar from the lower to the upper end; ``None`` where no window was measured."""
    window = report.window
    if window is None:
        return None
    axis = axis_of(window)
    inside = window["state"] == "inside"
    data: list[dict[str, Any]] = []
    if not axis.empty:
        data.append(
            {"type": "bar", "orientation": "h", "name": "can train", "y": [""], "base": [10**axis.low],
             "x": numbers([10**axis.high - 10**axis.low], 6), "width": [0.5],
             "marker": {"color": KIND_COLOURS["shortcut"], "opacity": 0.75},
             "hovertemplate": f"{words.number(window['lr_min'])} to {words.number(window['lr_max'])}<extra></extra>"}
        )  # fmt: skip
    for end, label in (("lr_min_range", "lower end as measured"), ("lr_max_range", "upper end as measured")):
        seen = [value for value in window[end] if isinstance(value, float) and 0 < value < float("inf")]
        if seen:
            data.append(
                {"type": "scatter", "mode": "markers", "name": label, "x": numbers(seen, 6), "y": [""] * len(seen),
                 "marker": {"symbol": "line-ns-open", "size": 26, "color": NEUTRAL, "line": {"width": 2}},
                 "hovertemplate": "%{x:.3g}<extra></extra>"}
            )  # fmt: skip
    rate = window["lr"][0]
    data.append(
        {"type": "scatter", "mode": "markers+text", "name": "your learning rate", "x": [rate], "y": [""],
         "text": [words.number(rate)], "textposition": "top center", "cliponaxis": False,
         "marker": {"size": 16, "color": KIND_COLOURS["weight"] if inside else ALARM, "symbol": "diamond"},
         "hovertemplate": "%{x:.3g}<extra></extra>"}
    )  # fmt: skip
    said = (
        f"The learning rate {words.number(rate)} lies {PLACES[window['state']]}."
        if window["state"] != "empty"
        else f"The learning rate is {words.number(rate)}, {PLACES['empty']}."
    )
    said += (
        f" Below {words.number(window['lr_min'])} the samples' error falls by less than one e-fold in"
        f" {window['steps']:,} steps; above {words.number(window['lr_max'])} steps are unstable."
    )
    return Chart(
        key="window",
        title="Learning rates that can train this",
        says=said,
        data=data,
        layout={
            "xaxis": {"type": "log", "range": [axis.begin, axis.end], "exponentformat": "power", "dtick": 1,
                      "title": {"text": "learning rate"}},
            "yaxis": {"showticklabels": False, "range": [-0.6, 0.9]}, "barmode": "overlay",
            "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom"},
            "margin": {"l": 20, "r": 20, "t": 40, "b": 50},
        },
        height=230,
    )  # fmt: skip
