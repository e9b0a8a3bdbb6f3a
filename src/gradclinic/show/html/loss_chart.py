"""The loss curve with what happened on the way: findings, clipping, skipped steps, the learning rate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from gradclinic.schema.record import Record, Step
from gradclinic.schema.report import Report

from .. import words
from .figure import ALARM, LINE_COLOURS, NEUTRAL, Chart, finding_marks, log_axis, numbers

#: Columns of pixels; each keeps its lowest and its highest loss.
MAX_COLUMNS = 600

#: Marks beyond this are one smear.
_MAX_MARKS = 300

#: Losses that span more than this factor are drawn on a logarithmic axis.
_LOG_SPAN = 50.0

_MAX_RATES = 4


def loss_chart(report: Report, record: Record) -> Chart | None:
    """The curve; ``None`` where no loss was seen."""
    seen = [(step.tick, step.loss) for step in record.steps if step.loss is not None]
    if not seen:
        return None
    finite = [(tick, loss) for tick, loss in seen if math.isfinite(loss)]
    points = thinned(finite, MAX_COLUMNS)
    values = [loss for _, loss in finite]
    log = bool(values) and min(values) > 0 and max(values) / min(values) > _LOG_SPAN
    mode = "lines+markers" if len(points) < 50 else "lines"
    data: list[dict[str, Any]] = [
        _trace(points, name="loss", mode=mode, line={"color": LINE_COLOURS[0], "width": 2}, marker={"size": 5})
    ]
    top = max(values, default=1.0)
    bad = [(tick, top) for tick, loss in seen if not math.isfinite(loss)]
    clipped = _marks(record.steps, lambda s: _over(s.clip_norm, s.clip_limit))
    skipped = _marks(record.steps, lambda s: s.skipped)
    held, back = _acts(record, "skip", "clip"), _acts(record, "roll back")
    for marks, label, symbol, colour in (
        (bad, "nan or inf", "x", ALARM),
        (clipped, "gradient clipped", "triangle-down", LINE_COLOURS[1]),
        (skipped, "step skipped", "diamond", LINE_COLOURS[3]),
        (held, "guard: held back or clipped", "square", LINE_COLOURS[2]),
        (back, "guard: went back", "triangle-left", ALARM),
    ):
        if marks:
            shown = marks[:: max(1, math.ceil(len(marks) / _MAX_MARKS))]
            shown = [(tick, top if loss is None or not math.isfinite(loss) else loss) for tick, loss in shown]
            data.append(
                _trace(shown, name=f"{label} ({len(marks):,})", mode="markers",
                       marker={"symbol": symbol, "size": 8, "color": colour})
            )  # fmt: skip
    rates, rate_log = _rates(record.steps)
    data += rates
    shapes, annotations = finding_marks(report, record)
    return Chart(
        key="loss",
        title="Loss and learning rate",
        says=_says(seen, len(points), len(clipped), len(skipped), len(bad)),
        data=data,
        layout={
            "xaxis": {"title": {"text": "step"}, "anchor": "y2"},
            "yaxis": {"title": {"text": "loss"}, "domain": [0.3, 1]} | (log_axis(values) if log else {}),
            "yaxis2": {"title": {"text": "rate"}, "domain": [0, 0.2]}
            | ({"type": "log", "nticks": 4} if rate_log else {"rangemode": "tozero", "nticks": 4}),
            "shapes": shapes, "annotations": annotations,
            "legend": {"orientation": "h", "y": 1.08, "yanchor": "bottom"},
            "margin": {"l": 60, "r": 10, "t": 60, "b": 45},
        },
        height=420,
    )  # fmt: skip


def _trace(points: Sequence[tuple[int, float | None]], **style: Any) -> dict[str, Any]:
    return {
        "type": "scatter",
        "x": [tick for tick, _ in points],
        "y": numbers((value for _, value in points), 6),
        "hovertemplate": "step %{x}: %{y:.4g}",
        **style,
    }


def thinned(points: Sequence[tuple[int, float]], columns: int) -> list[tuple[int, float]]:
    """At most two points of each of ``columns`` groups of neighbours, the lowest and the highest; the ends stay."""
    if len(points) <= 2 * columns:
        return list(points)
    kept = {0, len(points) - 1}
    for i in range(columns):
        group = range(round(i * len(points) / columns), round((i + 1) * len(points) / columns))
        kept |= {min(group, key=lambda k: points[k][1]), max(group, key=lambda k: points[k][1])}
    return [points[k] for k in sorted(kept)]


def _marks(steps: Sequence[Step], wanted: Any) -> list[tuple[int, float | None]]:
    return [(step.tick, step.loss) for step in steps if wanted(step)]


def _acts(record: Record, *kinds: str) -> list[tuple[int, float | None]]:
    losses = {step.tick: step.loss for step in record.steps}
    acts = (event for event in record.events if event.kind == "guard" and event.data.get("act") in kinds)
    return [(event.tick, losses.get(event.tick)) for event in acts]


def _over(norm: float | None, limit: float | None) -> bool:
    return norm is not None and limit is not None and not norm <= limit


def _rates(steps: Sequence[Step]) -> tuple[list[dict[str, Any]], bool]:
    """One line per optimizer and parameter group, equal ones once."""
    series: dict[tuple[int, int], list[tuple[int, float]]] = {}
    for step in steps:
        for group, rate in enumerate(step.lr):
            series.setdefault((step.optimizer, group), []).append((step.tick, rate))
    distinct: dict[tuple[float, ...], tuple[tuple[int, int], list[tuple[int, float]]]] = {}
    for key, points in series.items():
        distinct.setdefault(tuple(rate for _, rate in points), (key, points))
    many = len(distinct) > 1
    traces: list[dict[str, Any]] = []
    for (optimizer, group), points in list(distinct.values())[:_MAX_RATES]:
        label = f"learning rate {optimizer}.{group}" if many else "learning rate"
        traces.append(
            _trace(thinned(points, MAX_COLUMNS), name=label, mode="lines", yaxis="y2",
                   line={"color": NEUTRAL if not many else LINE_COLOURS[len(traces)], "width": 1.5, "shape": "hv"})
        )  # fmt: skip
    positive = [rate for points in series.values() for _, rate in points if rate > 0]
    return traces, bool(positive) and max(positive) / min(positive) > 100


def _says(seen: Sequence[tuple[int, float]], shown: int, clipped: int, skipped: int, bad: int) -> str:
    said = f"The loss went from {words.number(seen[0][1], 4)} (step {seen[0][0]:,})"
    said += f" to {words.number(seen[-1][1], 4)} (step {seen[-1][0]:,}). Dotted lines: since when a finding holds."
    if bad:
        said += f" It was nan or inf at {words.plural(bad, 'step')}."
    if clipped:
        said += f" Gradients were clipped at {words.plural(clipped, 'step')}."
    if skipped:
        said += f" A gradient scaler skipped {words.plural(skipped, 'step')}."
    if shown < len(seen) - bad:
        said += f" {len(seen):,} steps are drawn by the lowest and highest loss of {MAX_COLUMNS} groups."
    return said
