"""The signal by depth: how large and how alike the activations are, beside what mean-field theory foretells."""

from __future__ import annotations

from typing import Any

from gradclinic.schema.report import Report

from .. import words
from ..checkup import stacks_of
from .figure import LINE_COLOURS, NEUTRAL, Chart, log_axis, numbers, place_axis

#: A stack of fewer layers has no depth to show.
LEAST = 3


def signal_chart(report: Report) -> Chart | None:
    """Of the deepest stack of layers; ``None`` where there is none."""
    stacks = [stack for stack in stacks_of(report) if len(stack["layers"]) >= LEAST]
    if not stacks:
        return None
    stack = max(stacks, key=lambda each: len(each["layers"]))
    layers = stack["layers"]
    alike = _cosines(report)
    measured, foretold = ([layer[key] for layer in layers] for key in ("q", "q_theory"))
    places = list(range(len(layers)))
    data: list[dict[str, Any]] = [
        _line("mean square before the activation", places, measured, LINE_COLOURS[0], "solid", "y"),
        _line("theory", places, foretold, NEUTRAL, "dash", "y"),
    ]
    cosines = [alike.get(layer["where"]) for layer in layers]
    if any(cosine is not None for cosine in cosines):
        data.append(_line("how alike two inputs are (cosine)", places, cosines, LINE_COLOURS[1], "solid", "y2"))
    said = f"{words.plural(len(layers), 'layer')} in a row, the input left: {words.plain(stack['words'])}."
    known = [cosine for cosine in cosines if cosine is not None]
    if known:
        said += f" The mean cosine of two different inputs goes from {known[0]:.2f} to {known[-1]:.4g}."
    names = [layer["where"] for layer in layers]
    positive = [value for value in (*measured, *foretold) if value is not None and value > 0]
    return Chart(
        key="signal",
        title="The signal by depth",
        says=said,
        data=data,
        layout={
            "xaxis": place_axis(names, labels=24, width=22) | {"tickangle": -40},
            "yaxis": log_axis(positive) | {"title": {"text": "mean square"}},
            "yaxis2": {"overlaying": "y", "side": "right", "range": [-0.05, 1.05], "tickvals": [0, 0.5, 1],
                       "title": {"text": "cosine"}, "showgrid": False},
            "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom"},
            "margin": {"l": 70, "r": 60, "t": 40, "b": 60}, "hovermode": "x unified",
        },
        height=360,
        narrow={"xaxis.ticktext": place_axis(names, labels=24, width=10)["ticktext"]},
    )  # fmt: skip


def _line(name: str, x: list[int], y: list[Any], colour: str, dash: str, axis: str) -> dict[str, Any]:
    return {"type": "scatter", "mode": "lines+markers", "name": name, "x": x, "y": numbers(y), "yaxis": axis,
            "line": {"color": colour, "dash": dash, "width": 2}, "marker": {"size": 6},
            "hovertemplate": "%{y:.3g}"}  # fmt: skip


def _cosines(report: Report) -> dict[str, float | None]:
    """Module → mean cosine of its outputs for different samples, at its first call."""
    seen = (report.checkup or {}).get("representations") or {"outputs": []}
    found: dict[str, float | None] = {}
    for output in seen["outputs"]:
        found.setdefault(output["where"], output["samples"]["cosine"])
    return found
