"""What the activation functions let through on the step of the ledger."""

from __future__ import annotations

from typing import Any

from gradclinic.schema.report import Report

from .. import words
from ..heat import MAX_ROWS
from ..layers import dead_fraction
from .figure import LINE_COLOURS, NEUTRAL, Chart, log_axis, name, numbers, place_axis


def activity_chart(report: Report) -> Chart | None:
    """Saturated, dead and zero fractions, and below them the size; ``None`` where no activation was looked at."""
    every = report.ledger.activities if report.ledger is not None else ()
    if not every:
        return None
    found = every[:: max(1, -(-len(every) // MAX_ROWS))]
    places = list(range(len(found)))
    labels = [activity.module or activity.op for activity in found]
    hover = [f"{name(activity.op)} in {name(activity.module or 'no module')}" for activity in found]
    bars = (
        ("saturated", LINE_COLOURS[1], [activity.saturated_fraction for activity in found]),
        ("dead units", LINE_COLOURS[3], [dead_fraction(activity) for activity in found]),
        ("zero", NEUTRAL, [activity.zero_fraction for activity in found]),
    )
    data: list[dict[str, Any]] = [
        {"type": "bar", "name": label, "x": places, "y": numbers(values), "marker": {"color": colour},
         "customdata": hover, "hovertemplate": "%{customdata}<br>" + label + " %{y:.1%}<extra></extra>"}
        for label, colour, values in bars
    ]  # fmt: skip
    data.append(
        {"type": "scatter", "mode": "lines+markers", "name": "root mean square", "x": places, "yaxis": "y2",
         "y": numbers(activity.rms or None for activity in found), "line": {"color": LINE_COLOURS[0], "width": 2},
         "customdata": hover, "hovertemplate": "%{customdata}<br>RMS %{y:.3g}<extra></extra>"}
    )  # fmt: skip
    worst = max(every, key=lambda activity: activity.saturated_fraction)
    dead = sum(activity.dead_units for activity in every)
    units = sum(activity.units for activity in every)
    said = f"Outputs of {words.plural(len(every), 'activation function')}, first layer left."
    if worst.saturated_fraction > 0:
        said += (
            f" Most saturated: {worst.module or worst.op} with {words.share(worst.saturated_fraction)} of its outputs."
        )
    said += f" {dead:,} of {units:,} units are dead on that batch."
    if len(found) < len(every):
        said += f" {len(found)} of {len(every)} are shown."
    rms = [activity.rms for activity in found if activity.rms > 0]
    wide = bool(rms) and max(rms) / min(rms) > 20
    size = log_axis(rms) if wide else {"rangemode": "tozero", "nticks": 5}
    return Chart(
        key="activity",
        title="Activations",
        says=words.plain(said),
        data=data,
        layout={
            "xaxis": place_axis(labels, labels=24, width=22)
            | {"tickangle": -40, "anchor": "y2"},
            "yaxis": {"title": {"text": "fraction"}, "tickformat": ".0%", "range": [0, 1.02], "domain": [0.42, 1]},
            "yaxis2": {"title": {"text": "RMS"}, "domain": [0, 0.34]} | size,
            "barmode": "group", "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom"},
            "margin": {"l": 70, "r": 10, "t": 40, "b": 60},
        },
        height=430,
        narrow={"xaxis.ticktext": place_axis(labels, labels=24, width=10)["ticktext"]},
    )  # fmt: skip
