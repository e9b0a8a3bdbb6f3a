"""The gradient dies on its way from the head to the first layer, and the first layers do not move."""

from __future__ import annotations

import numpy as np

from gradclinic.schema.finding import Healthy, NotEnoughData, Outcome

from ..causes.data import out_of_reach
from ..causes.decay import shrunk_by_decay
from ..causes.depth import explain
from ..causes.revived import revived
from ..causes.step_size import saturated_by_inputs, small_inputs, too_large
from ..condition import Condition, Threshold
from ..evidence import Evidence
from ..spine import LOST as NOTHING_LEFT
from ..spine import Spine
from .common import found

#: Six depth scales: beyond them nets of many depths and widths no longer trained (Schoenholz 2017).  ‖δ‖² loses
#: e^-6, ‖δ‖ e^-3, 1.3 decades.
LOST = Threshold("decades_lost", 1.3, "six depth scales, e^-3 of the norm: the edge of trainability (Schoenholz 2017)")
#: At twice that, training is hopeless whatever the optimizer does; below it the starved layers must be seen.
HOPELESS = Threshold("decades_hopeless", 2.6, "twelve depth scales: twice the edge of trainability")
#: A layer whose weights move by less than a hundredth of their size does not change what it computes; a
#: functional change of order one needs relative changes of about 1/√width, at least 0.01 up to width 10,000.
STARVED = Threshold("travel", 1e-2, "1/√width of the widest layers: less movement cannot change a feature")


def check(evidence: Evidence) -> Outcome:
    """Looks at the ledgers' totals, their persistence, and how far the first layers can have moved."""
    spines = evidence.spines
    if not spines:
        return NotEnoughData(
            "vanishing_gradient", "a ledger: no step's graph could be followed from the loss to the first layer"
        )
    # Zero-initialised heads, gates and adapters pass nothing at step 0 and something soon after: the median decides.
    total = float(np.median([spine.total for spine in spines]))
    numbers = {"decades_lost": -total, "ledgers": len(spines), "decades_lost_first": -spines[0].total}
    if total > -LOST.value:
        return Healthy("vanishing_gradient", f"the gradient changes by {total:+.1f} decades through depth", numbers)
    if evidence.learning.well:
        return Healthy(
            "vanishing_gradient", f"{-total:.1f} decades are lost through depth, and still it learns", numbers
        )
    # The first account that shows it; one that lost everything (a gate at 0) has nothing to attribute.
    worst = next((s for s in spines if -NOTHING_LEFT < s.total <= -LOST.value), None) or _worst(spines)
    travel = _first_layers_travel(evidence)
    starved = travel is not None and travel < STARVED.value
    at_start = worst is spines[0] or spines[0].total <= -LOST.value
    if total < spines[0].total - LOST.value and shrunk_by_decay(evidence) is not None:
        return Healthy("vanishing_gradient", "it came as the weights shrank", numbers)
    if total > -HOPELESS.value and (not starved or too_large(evidence)):
        return Healthy("vanishing_gradient", "the first layers move enough in spite of it", numbers)
    if too_large(evidence) and not at_start:
        return Healthy("vanishing_gradient", "it came after updates that were too large", numbers)
    if out_of_reach(evidence) is not None:
        return Healthy(
            "vanishing_gradient", "the targets are out of reach, whatever arrives at the first layers", numbers
        )
    by_inputs = saturated_by_inputs(evidence) or small_inputs(evidence) if at_start else None
    cause = by_inputs or revived(evidence) or explain(worst, -1)
    seen = f"Of the gradient at the head only 10^{worst.total:.1f} arrives at the first layer"
    if travel is not None:
        way = f"can have moved by {travel:.1e} of their size" if travel > 0 else "did not move at all"
        seen += f", whose weights {way} in {evidence.horizon} steps"
        numbers |= {"travel_first_layers": travel}
    confidence = cause.confidence * (1.0 if -total >= HOPELESS.value or starved else 0.8)
    return found(
        "vanishing_gradient",
        cause,
        evidence,
        seen=seen,
        step=evidence.step_of(worst.tick),
        numbers=numbers,
        confidence=confidence,
    )


def _worst(spines: tuple[Spine, ...]) -> Spine:
    return min(spines, key=lambda spine: spine.total)


def _first_layers_travel(evidence: Evidence) -> float | None:
    """Median travel of the first third of the weights."""
    travel = evidence.travel[evidence.first_weights]
    travel = travel[np.isfinite(travel)]
    return float(np.median(travel)) if len(travel) else None


CONDITION = Condition(
    "vanishing_gradient",
    "the gradient of the loss shrinks through depth until the first layers no longer move",
    check,
    (LOST, HOPELESS, STARVED),
)
