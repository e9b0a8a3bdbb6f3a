"""Layer by step: log10 of the gradient's norm."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradclinic.schema.record import Record
from gradclinic.schema.report import Report

from .. import words
from ..heat import Heat, heat
from ..layers import STATES
from .figure import Chart, finding_marks, name, numbers, place_axis

#: States that the colour scale cannot show, each in a colour that is not on the scale.
STATE_COLOURS = {"zero": "#000000", "non_finite": "#ff2d78", "absent": "#9aa0a6"}
STATE_WORDS = {"zero": "exactly zero", "non_finite": "nan or inf", "absent": "no gradient"}

#: The scale covers at least so many decades, so that a healthy factor of two does not look like a cliff.
_MIN_SPAN = 4.0


def heat_chart(report: Report, record: Record) -> Chart | None:
    """The heat map; ``None`` where no gradient was recorded."""
    named = [place for finding in report.findings for place in finding.where]
    found = heat(record, named)
    if not found.log10.size:
        return None
    names = [layer.name for layer in found.layers]
    shown = [name(each) for each in names]
    seen = found.log10[np.isfinite(found.log10)]
    high = float(seen.max()) if seen.size else 0.0
    low = min(float(seen.min()), high - _MIN_SPAN) if seen.size else -_MIN_SPAN
    x = found.ticks.tolist()
    data: list[dict[str, Any]] = [
        {"type": "heatmap", "x": x, "y": shown, "z": [numbers(row, 4) for row in found.log10.tolist()],
         "zmin": round(low, 2), "zmax": round(high, 2), "colorscale": "Viridis", "hoverongaps": False,
         "hovertemplate": "%{y}<br>step %{x}<br>log10 ‖∇‖ = %{z:.2f}<extra></extra>",
         "colorbar": {"title": {"text": "log10 ‖∇‖", "side": "right"}, "thickness": 12, "outlinewidth": 0}}
    ]  # fmt: skip
    legend = []
    for state, colour in STATE_COLOURS.items():
        where = found.state == STATES.index(state)
        if where.any():
            legend.append((colour, f"{STATE_WORDS[state]} ({int(where.sum()):,} cells)"))
            data.append(
                {"type": "heatmap", "x": x, "y": shown, "z": [[1 if cell else None for cell in row] for row in where],
                 "showscale": False, "colorscale": [[0, colour], [1, colour]], "hoverongaps": False,
                 "hovertemplate": f"%{{y}}<br>step %{{x}}<br>{STATE_WORDS[state]}<extra></extra>"}
            )  # fmt: skip
    shapes, annotations = finding_marks(report, record)
    axis = place_axis(names, labels=40, width=28) | {"type": "category", "range": [len(names) - 0.5, -0.5]}
    # By name, not by place: plotly takes the number 2 for the category "2", and layers may be named so.
    axis["tickvals"] = [shown[place] for place in axis["tickvals"]]
    narrow = place_axis(names, labels=40, width=12)
    return Chart(
        key="heat",
        title="Gradients, layer by step",
        says=_says(found, low if not seen.size else float(seen.min()), high),
        data=data,
        layout={"xaxis": {"title": {"text": "step"}}, "yaxis": axis, "shapes": shapes, "annotations": annotations,
                "margin": {"l": 60, "r": 10, "t": 30, "b": 45}},
        height=int(min(max(16 * len(names) + 110, 240), 820)),
        legend=tuple(legend),
        narrow={"yaxis.ticktext": narrow["ticktext"]},
    )  # fmt: skip


def _says(found: Heat, low: float, high: float) -> str:
    said = (
        f"Norm of the gradient of every layer's parameters (first layer on top) at {words.plural(found.steps, 'step')}"
        f", from {words.number(10**low)} to {words.number(10**high)}."
    )
    if len(found.ticks) < found.steps:
        said += (
            f" {found.steps:,} recorded steps are shown in {len(found.ticks):,} columns: each shows the largest norm."
        )
    if len(found.layers) < found.layers_total:
        said += f" {len(found.layers):,} of {found.layers_total:,} layers are shown."
    return said
