"""How far one step moves each layer: the norm of the update over the norm of the weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradclinic.schema.record import Record

from .. import words
from ..heat import MAX_ROWS
from ..layers import layers, update_ratios
from .figure import ALARM, LINE_COLOURS, NEUTRAL, Chart, log_axis, numbers, place_axis


def update_chart(record: Record) -> Chart | None:
    """Three points per layer: the first, the median and the last measured step; ``None`` where nothing was."""
    every = layers(record.parameters)
    found = every[:: max(1, -(-len(every) // MAX_ROWS))]
    ratios = [column[~np.isnan(column)].tolist() for column in update_ratios(record, found).T]
    positive = [ratio for layer in ratios for ratio in layer if ratio > 0 and np.isfinite(ratio)]
    if not any(ratios):
        return None
    names = [layer.name for layer in found]
    data: list[dict[str, Any]] = []
    for label, pick, colour, symbol in (
        ("first", lambda r: r[0], NEUTRAL, "circle-open"),
        ("median", lambda r: float(np.median(r)), LINE_COLOURS[0], "line-ew-open"),
        ("last", lambda r: r[-1], LINE_COLOURS[1], "circle"),
    ):
        values = [pick(layer) if layer else None for layer in ratios]
        data.append(
            {"type": "scatter", "mode": "markers", "name": label, "x": list(range(len(found))),
             "y": numbers(value or None for value in values), "hovertemplate": "%{y:.2e}",
             "marker": {"color": colour, "symbol": symbol, "size": 8, "line": {"width": 2}}}
        )  # fmt: skip
    still = [i for i, layer in enumerate(ratios) if layer and layer[-1] == 0]
    if still and positive:
        data.append(
            {"type": "scatter", "mode": "markers", "name": "did not move",
             "x": still, "y": [min(positive)] * len(still),
             "marker": {"symbol": "x", "size": 9, "color": ALARM}, "hovertemplate": "update exactly 0"}
        )  # fmt: skip
    said = f"‖Δw‖/‖w‖ of a step for every layer (first layer left), at {words.plural(len(record.updates), 'step')}."
    if positive:
        said += f" From {words.number(min(positive))} to {words.number(max(positive))}."
    if still:
        said += f" At the last of them {words.plural(len(still), 'layer')} did not move at all."
    if len(found) < len(every):
        said += f" {len(found)} of {len(every)} layers are shown."
    return Chart(
        key="updates",
        title="Updates, layer by layer",
        says=said,
        data=data,
        layout={
            "xaxis": place_axis(names, labels=24, width=22) | {"tickangle": -40},
            "yaxis": log_axis(positive) | {"title": {"text": "‖Δw‖/‖w‖"}},
            "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom"},
            "margin": {"l": 70, "r": 10, "t": 40, "b": 60}, "hovermode": "x unified",
        },
        height=360,
        narrow={"xaxis.ticktext": place_axis(names, labels=24, width=10)["ticktext"]},
    )  # fmt: skip
