"""The losses of the trials: the proof's arms, seed by seed, and the rounds before it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from gradclinic.schema.treatment import TreatmentReport, TrialRow

from ..treatment import ARMS, gains
from .figure import LINE_COLOURS, NEUTRAL, Chart, log_axis, name, numbers
from .loss_chart import thinned

#: Columns of pixels of one curve.
COLUMNS = 200
#: Losses that span more than this factor are drawn on a logarithmic axis.
LOG_SPAN = 50.0
#: Of the candidates: no colour that an arm has.
OTHERS = tuple(colour for colour in LINE_COLOURS if colour != "#e4572e")
COLOURS = {"treated": "#2a9d6f", "untreated": "#e4572e", "random": NEUTRAL}


def proof_chart(told: TreatmentReport) -> Chart | None:
    """One line per arm and seed; None where nothing was proven."""
    if not told.proof:
        return None
    data, named = [], set[str]()
    for row in reversed(told.proof):  # the recipe's lines lie on top
        arm = row.arm or "treated"
        for seed, curve in zip(row.seeds, row.curves, strict=True):
            data.append(_line(curve, ARMS[arm], COLOURS[arm], f"{ARMS[arm]}, seed {seed}", legend=arm not in named))
            if any(math.isfinite(loss) for loss in curve):
                named.add(arm)
    return _chart("proof", "The proof: the same batches with and without the recipe", gains(told), data, told.proof)


def rounds_chart(told: TreatmentReport) -> Chart | None:
    """The candidates of the first rounds, the untreated run among them; None where there was no round."""
    if not told.rounds:
        return None
    data, shown = [], told.rounds[-2] if len(told.rounds) > 1 else told.rounds[-1]
    for place, row in enumerate(shown):
        untreated = not row.changes
        colour = COLOURS["untreated"] if untreated else OTHERS[place % len(OTHERS)]
        data.append(_line(row.curves[0], name("as it is" if untreated else row.remedy, 60), colour, "", legend=True))
    tried = {row.remedy for rows in told.rounds for row in rows if row.changes}
    says = f"{len(tried)} recipes were tried, the better ones for longer; these came into the round before the last."
    return _chart("rounds", "What was tried", says, data, shown)


def _line(curve: Sequence[float], label: str, colour: str, hover: str, *, legend: bool) -> dict[str, Any]:
    points = thinned([(step, loss) for step, loss in enumerate(curve) if math.isfinite(loss)], COLUMNS)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": label,
        "legendgroup": label,
        "showlegend": legend,
        "x": [step for step, _ in points],
        "y": numbers((loss for _, loss in points), 5),
        "line": {"color": colour, "width": 1.5},
        "hovertemplate": f"{hover or label}<br>step %{{x}}: %{{y:.4g}}<extra></extra>",
    }


def _chart(key: str, title: str, says: str, data: list[dict[str, Any]], rows: Iterable[TrialRow]) -> Chart:
    values = [loss for row in rows for curve in row.curves for loss in curve if math.isfinite(loss)]
    log = bool(values) and min(values) > 0 and max(values) / min(values) > LOG_SPAN
    return Chart(
        key=key,
        title=title,
        says=says,
        data=data,
        layout={
            "xaxis": {"title": {"text": "step"}},
            "yaxis": {"title": {"text": "loss"}} | (log_axis(values) if log else {}),
            "legend": {"orientation": "h", "y": 1.05, "yanchor": "bottom"},
            "margin": {"l": 60, "r": 10, "t": 60, "b": 45},
        },
        height=380,
    )
