"""Optimizers side by side: the loss against effort, the rates, the noise, the batch size, the updates."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

from gradclinic.schema.comparison import ComparisonReport, Curve, OptimizerRow

from .figure import KIND_COLOURS, LINE_COLOURS, NEUTRAL, Chart, log_axis, numbers

#: In the order of the rows; then again, dashed.
COLOURS = (*LINE_COLOURS, KIND_COLOURS["other"], NEUTRAL)
#: Losses that span more than this factor are drawn on a logarithmic axis.
LOG_SPAN = 20.0
#: Room above and below what is drawn, as a share of it.
ROOM = 0.1
#: So many times all samples, or the square of it times a batch, is as good as infinite.
FAR = 30.0


def effort_charts(told: ComparisonReport) -> list[Chart]:
    """The loss against steps and time, and against gradients where a step of one costs several."""
    rows = [row for row in told.rows if row.curve is not None]
    if not rows:
        return []
    kinds: list[tuple[str, str, str, str, Callable[[OptimizerRow], float]]] = [
        ("steps", "Loss against steps", "step", "One line for each optimizer, the mean over the seeds; the band holds"
         " each seed's own.", lambda row: 1.0),
        ("time", "Loss against time", "seconds", "The same against the time that the steps take on this machine.",
         lambda row: row.seconds or 0.0),
    ]  # fmt: skip
    if any(row.cost > 1 for row in rows):
        kinds.insert(1, (
            "gradients", "Loss against gradients", "gradients of one batch", "The same against work: a full-batch step"
            " takes a gradient of every batch.", lambda row: float(row.cost),
        ))  # fmt: skip
    values = [value for row in rows if row.curve for value in row.curve.mean]
    charts = []
    for key, title, unit, says, scale in kinds:
        data = [trace for row in rows if row.curve for trace in _band(row, row.curve, scale(row), *_style(told, row))]
        layout = _layout(unit, "loss", values, spread=True)
        if key != "steps" and any(row.cost > 1 for row in rows):
            ends = [row.curve.steps[place] * scale(row) for row in rows if row.curve for place in (0, -1)]
            layout["xaxis"] |= log_axis(ends)
        charts.append(Chart(key, title, says, data, layout, 400))
    return charts


def rates_chart(told: ComparisonReport) -> Chart | None:
    """The loss of each rate of the searches; None where there was none."""
    data: list[dict[str, Any]] = []
    kept: list[float] = []
    for row in told.rows:
        seen = [trial for trial in row.trials if math.isfinite(trial.loss)]
        if not seen:
            continue
        colour, dash = _style(told, row)
        kept += [trial.lr for trial in seen]
        sizes = [11 if trial.lr == row.lr else 5 for trial in seen]
        data.append(
            {"type": "scatter", "mode": "lines+markers", "name": row.name, "x": numbers(trial.lr for trial in seen),
             "y": numbers((trial.loss for trial in seen), 5), "line": {"color": colour, "width": 2, "dash": dash},
             "marker": {"size": sizes, "color": colour}, "hovertemplate": "%{x:.3g}: %{y:.4g}<extra></extra>"}
        )  # fmt: skip
    if not data:
        return None
    layout = _layout("learning rate", "loss", [], spread=False)
    layout["xaxis"] |= log_axis(kept)
    # Not much above where they began: one that runs away would flatten the rest.
    top = max(row.start for row in told.rows if row.trials and row.start is not None)
    low = min(trial.loss for row in told.rows for trial in row.trials)
    layout["yaxis"]["range"] = numbers([low - ROOM * (top - low), top + ROOM * (top - low)])
    says = "The mean loss at the end of the short trainings; a rate at which one ended has no dot. The large dot is the"
    says += " chosen one. Wide and flat: the rate hardly matters."
    return Chart("rates", "How exactly the learning rate must be met", says, data, layout, 380)


def noise_chart(told: ComparisonReport) -> Chart | None:
    """The noise scale along each training, with its interval, beside the batch; None where none was measured."""
    rows = [row for row in told.rows if row.noise]
    if not rows:
        return None
    data: list[dict[str, Any]] = []
    values: list[float] = [float(told.batch)]
    for row in rows:
        colour, dash = _style(told, row)
        known = [noise for noise in row.noise if noise.value]
        # Where only a lower end is known, an arrow points up from it.
        least = [noise for noise in row.noise if noise.value is None and noise.low > 0]
        values += [end for n in known for end in (n.value, n.low, n.high) if end] + [noise.low for noise in least]
        up = numbers(noise.high - (noise.value or 0.0) for noise in known)
        down = numbers((noise.value or 0.0) - noise.low for noise in known)
        data.append(
            {"type": "scatter", "mode": "lines+markers", "name": row.name, "x": [noise.step for noise in known],
             "y": numbers(noise.value for noise in known), "line": {"color": colour, "width": 2, "dash": dash},
             "legendgroup": row.name, "marker": {"size": 7}, "hovertemplate": "step %{x}: %{y:.3g}<extra></extra>",
             "error_y": {"type": "data", "symmetric": False, "array": up, "arrayminus": down, "color": colour,
                         "thickness": 1}}
        )  # fmt: skip
        if least:
            data.append(
                {"type": "scatter", "mode": "markers", "name": f"{row.name}, at least", "legendgroup": row.name,
                 "x": [noise.step for noise in least], "y": numbers(noise.low for noise in least), "showlegend": False,
                 "marker": {"symbol": "arrow-up", "size": 13, "color": colour},
                 "hovertemplate": "step %{x}: at least %{y:.3g}<extra></extra>"}
            )  # fmt: skip
    layout = _layout("step", "noise scale (samples)", [], spread=False)
    # Where a training has arrived the scale is as good as infinite; what lies below it should still be seen.
    ceiling = FAR * float(told.population or FAR * told.batch)
    layout["yaxis"] |= log_axis([min(value, ceiling) for value in values] + [float(told.population or told.batch)])
    lines = [(told.batch, "a batch")] + ([(told.population, "all samples")] if told.population else [])
    layout["shapes"] = [_level(value) for value, _ in lines]
    layout["annotations"] = [
        {"x": 0.8, "xref": "paper", "xanchor": "right", "y": math.log10(value), "yref": "y", "yanchor": "bottom",
         "text": f"{text}: {value:,}", "showarrow": False, "font": {"color": NEUTRAL}}
        for value, text in lines
    ]  # fmt: skip
    says = (
        "B_simple = tr Σ / ‖G‖², with its 95% interval; an arrow: at least so much. Above the line of the batch a step"
    )
    says += " is mostly noise, and a larger batch saves steps; far below it, it saves none."
    return Chart("noise", "The gradient noise scale", says, data, layout, 400)


def batch_chart(told: ComparisonReport) -> Chart | None:
    """Steps and samples to the same loss over the batch size; None where the noise cannot be told."""
    if not told.larger:
        return None
    sizes = [told.batch, *(each.size for each in told.larger)]
    data = [
        {"type": "scatter", "mode": "lines+markers", "name": name, "x": sizes, "y": numbers([1.0, *values]),
         "line": {"color": colour, "width": 2}, "hovertemplate": "%{x}: %{y:.3g}<extra></extra>"}
        for name, values, colour in (
            ("steps", [each.steps for each in told.larger], LINE_COLOURS[0]),
            ("samples", [each.samples for each in told.larger], LINE_COLOURS[1]),
        )
    ]  # fmt: skip
    layout = _layout("batch size", "in units of the batch now", [], spread=False)
    layout["xaxis"] |= log_axis(map(float, sizes))
    layout["yaxis"] |= log_axis([1.0, *(each.steps for each in told.larger), *(each.samples for each in told.larger)])
    says = "Steps 1 + B_noise/B and samples 1 + B/B_noise to the same loss, by the noise at the start, each at its own"
    says += " best learning rate (McCandlish et al. 2018)."
    return Chart("batch", "What a larger batch would buy", says, data, layout, 320)


def updates_chart(told: ComparisonReport) -> Chart | None:
    """Update over weight along the training; None where none was measured."""
    rows = [row for row in told.rows if row.updates]
    if not rows:
        return None
    data = []
    for row in rows:
        colour, dash = _style(told, row)
        data.append(
            {"type": "scatter", "mode": "lines", "name": row.name, "x": [step for step, _ in row.updates],
             "y": numbers(ratio or None for _, ratio in row.updates),
             "line": {"color": colour, "width": 2, "dash": dash}, "hovertemplate": "step %{x}: %{y:.2e}<extra></extra>"}
        )  # fmt: skip
    layout = _layout("step", "‖Δw‖/‖w‖", [], spread=False)
    layout["yaxis"] |= log_axis(ratio for row in rows for _, ratio in row.updates)
    says = "How far one step moves the weights: the median over weight tensors and seeds."
    return Chart("updates", "Update over weight", says, data, layout, 340)


def _band(row: OptimizerRow, curve: Curve, scale: float, colour: str, dash: str) -> list[dict[str, Any]]:
    x = numbers((step * scale for step in curve.steps), 5)
    shared = {"type": "scatter", "mode": "lines", "legendgroup": row.name}
    edges = numbers([*curve.high, *reversed(curve.low)], 5)
    return [
        {**shared, "x": [*x, *reversed(x)], "y": edges, "fill": "toself", "fillcolor": colour, "opacity": 0.18,
         "line": {"width": 0}, "showlegend": False, "hoverinfo": "skip"},
        {**shared, "name": row.name, "x": x, "y": numbers(curve.mean, 5),
         "line": {"color": colour, "width": 2, "dash": dash}, "hovertemplate": "%{x:.4g}: %{y:.4g}"},
    ]  # fmt: skip


def _style(told: ComparisonReport, row: OptimizerRow) -> tuple[str, str]:
    """The same for an optimizer in every chart."""
    place = sorted(each.name for each in told.rows).index(row.name)
    return COLOURS[place % len(COLOURS)], "dash" if place >= len(COLOURS) else "solid"


def _level(value: float) -> dict[str, Any]:
    return {"type": "line", "x0": 0, "x1": 1, "xref": "paper", "y0": value, "y1": value, "yref": "y",
            "line": {"color": NEUTRAL, "width": 1, "dash": "dot"}}  # fmt: skip


def _layout(x: str, y: str, values: Iterable[float], *, spread: bool) -> dict[str, Any]:
    seen = list(values)
    log = spread and bool(seen) and min(seen) > 0 and max(seen) / min(seen) > LOG_SPAN
    return {
        "xaxis": {"title": {"text": x}},
        "yaxis": {"title": {"text": y}} | (log_axis(seen) if log else {}),
        "legend": {"orientation": "h", "y": 1.05, "yanchor": "bottom"},
        "margin": {"l": 60, "r": 10, "t": 60, "b": 45},
    }
