"""Plotly figures of the kinds that experiments draw, as plain data."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from .experiment import Figure

#: Colours that keep a contrast of 3:1 with a white and with a near-black page.
COLOURS = ("#3d7dd8", "#e4572e", "#2a9d6f", "#9467bd", "#b07d12", "#858c94", "#c2458f", "#5b8a3c")

Curve = tuple[Sequence[float], Sequence[float]]


def lines(
    title: str,
    says: str,
    curves: Mapping[str, Curve],
    axes: tuple[str, str],
    *,
    log: str = "",
    theory: Mapping[str, Curve] | None = None,
    marks: bool = True,
) -> Figure:
    """One line per name.  ``log`` names the logarithmic axes, ``"y"`` or ``"xy"``; ``theory`` is dashed."""
    data: list[dict[str, Any]] = []
    for place, (name, (x, y)) in enumerate(curves.items()):
        colour = COLOURS[place % len(COLOURS)]
        mode = "lines+markers" if marks else "lines"
        data.append(
            {"type": "scatter", "mode": mode, "name": name, "x": list(x), "y": finite(y), "line": {"color": colour}}
        )
    for place, (name, (x, y)) in enumerate((theory or {}).items()):
        style = {"color": COLOURS[place % len(COLOURS)], "dash": "dash", "width": 1.5}
        data.append({"type": "scatter", "mode": "lines", "name": name, "x": list(x), "y": finite(y), "line": style})
    return Figure(title, says, data, _layout(axes, log))


def grid(
    title: str,
    says: str,
    cells: tuple[Sequence[float], Sequence[float], Sequence[Sequence[float]]],
    axes: tuple[str, str],
    *,
    colour: str,
    theory: Mapping[str, Curve] | None = None,
) -> Figure:
    """A heat map z[y][x] between 0 and 1, with lines of theory over it."""
    x, y, z = cells
    data: list[dict[str, Any]] = [
        {"type": "heatmap", "x": list(x), "y": list(y), "z": [finite(row) for row in z], "colorscale": "Viridis",
         "zmin": 0, "zmax": 1, "colorbar": {"title": {"text": colour}, "thickness": 12}}
    ]  # fmt: skip
    for name, (xs, ys) in (theory or {}).items():
        style = {"color": "#ffffff", "dash": "dash", "width": 2}
        data.append({"type": "scatter", "mode": "lines", "name": name, "x": list(xs), "y": finite(ys), "line": style})
    layout = _layout(axes, "")
    layout["yaxis"]["range"] = [min(y), max(y)]
    return Figure(title, says, data, layout)


def finite(values: Any) -> list[float | None]:
    """For JSON: what is no finite number becomes a gap."""
    return [float(f"{value:.5g}") if math.isfinite(value) else None for value in values]


def _layout(axes: tuple[str, str], log: str) -> dict[str, Any]:
    return {
        "xaxis": {"title": {"text": axes[0]}, "type": "log" if "x" in log else "-"},
        "yaxis": {"title": {"text": axes[1]}, "type": "log" if "y" in log else "-", "exponentformat": "power"},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom"},
        "margin": {"l": 60, "r": 10, "t": 50, "b": 45},
    }
