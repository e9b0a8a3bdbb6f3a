"""The ledger as a waterfall: what every operation does to the gradient, from the head to the first layer."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

from gradclinic.schema.ledger import Ledger, Line
from gradclinic.schema.report import Report

from .. import words
from ..summary import account
from .figure import KIND_COLOURS, NEUTRAL, Chart, name, numbers, place_axis

#: More bars than this are thinner than a pixel or two.
MAX_BARS = 400


def ledger_chart(report: Report) -> Chart | None:
    """The waterfall; ``None`` where there is no ledger."""
    lines = spine(report.ledger)
    if not lines:
        return None
    groups = grouped(lines, MAX_BARS)
    steps = [sum(line.decades for line in group) for group in groups]
    after = list(accumulate(steps))
    before = [0.0, *after[:-1]]
    kinds = [max(group, key=lambda line: abs(line.decades)).kind for group in groups]
    labels = [group[0].module or group[0].op for group in groups]
    data: list[dict[str, Any]] = []
    for kind, colour in KIND_COLOURS.items():
        places = [i for i, each in enumerate(kinds) if each == kind]
        if places:
            total = words.signed(sum(steps[i] for i in places))
            data.append(
                {"type": "bar", "x": places, "width": 0.85, "y": numbers((steps[i] for i in places), 6),
                 "base": numbers((before[i] for i in places), 6), "name": f"{words.KIND_WORDS[kind]} {total}",
                 "marker": {"color": colour}, "hovertemplate": "%{customdata}<extra></extra>",
                 "customdata": [_hover(groups[i], steps[i], after[i]) for i in places]}
            )  # fmt: skip
    data.append(
        {"type": "scatter", "mode": "lines", "name": "running total",
         "x": list(range(len(groups))), "y": numbers(after, 6),
         "line": {"color": NEUTRAL, "width": 1.5, "shape": "hvh"}, "hoverinfo": "skip"}
    )  # fmt: skip
    said = account(report.ledger) or ""
    if report.ledger_step is not None:
        said += f" Account of step {report.ledger_step:,}."
    if len(groups) < len(lines):
        said += f" {len(lines):,} operations are shown in {len(groups):,} bars of neighbours."
    return Chart(
        key="ledger",
        title="The gradient's account, from the head to the first layer",
        says=said.strip(),
        data=data,
        layout={
            # Positions, not names, on the axis: one module may appear many times (every step of a recurrence).
            "xaxis": place_axis(labels, labels=24, width=22)
            | {"title": {"text": "head → first layer"}, "tickangle": -40},
            "yaxis": {"title": {"text": "decades (log10)"}, "zeroline": True},
            "barmode": "overlay", "bargap": 0.15, "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom"},
            "margin": {"l": 60, "r": 10, "t": 40, "b": 60},
        },
        height=430,
        narrow={"xaxis.ticktext": place_axis(labels, labels=24, width=10)["ticktext"]},
    )  # fmt: skip


def spine(ledger: Ledger | None) -> list[Line]:
    """The ledger's lines after the loss, the head first."""
    return [] if ledger is None else [line for line in ledger.lines if line.kind != "loss"]


def grouped(lines: list[Line], limit: int) -> list[list[Line]]:
    """At most ``limit`` groups of neighbours, as equal in size as can be."""
    count = min(limit, len(lines))
    edges = [round(i * len(lines) / count) for i in range(count + 1)]
    return [lines[edges[i] : edges[i + 1]] for i in range(count)]


def _hover(group: list[Line], decades: float, total: float) -> str:
    first = group[0]
    what = f"<b>{name(first.op)}</b> in {name(first.module or 'no module')}<br>{first.kind}"
    if len(group) > 1:
        what = f"{len(group)} operations, {name(first.op)} in {name(first.module or 'no module')} and on"
    if len(group) == 1 and first.join is not None:
        parts = ", ".join(words.number(part) for part in first.join)
        what += f"<br>join of branches: ‖δ‖², 2⟨δ,Jᵀδ⟩, ‖Jᵀδ‖² = {parts}"
    return f"{what}<br>{words.signed(decades)} decades, {words.signed(total)} so far"
