"""The gradient grows from the head to the first layer, already before the first update."""

from __future__ import annotations

import numpy as np

from gradclinic.schema.finding import Healthy, NotEnoughData, Outcome, Severity

from ..causes.depth import explain
from ..causes.step_size import STEEP
from ..condition import Condition, Threshold
from ..evidence import Evidence
from .common import found

GROWN = Threshold(
    "decades_grown", STEEP, "six depth scales, e^3 of the norm: the edge of trainability (Schoenholz 2017)"
)

FAR = Threshold(
    "error_over_constant", 10.0, "ten times the targets' variance: predictions three times as large as the targets"
)


def check(evidence: Evidence) -> Outcome:
    """Looks at the ledgers from before the first updates; growth that comes later is ``divergence``."""
    if not evidence.spines:
        return NotEnoughData(
            "exploding_gradient", "a ledger: no step's graph could be followed from the loss to the first layer"
        )
    first = evidence.spines[0]
    step = evidence.step_of(first.tick)
    numbers = {
        "decades_grown": first.total,
        "decades_grown_median": float(np.median([s.total for s in evidence.spines])),
    }
    if step > 0 and evidence.learning.state != "rising" and first.total < 2 * GROWN.value:
        return Healthy(
            "exploding_gradient", "no ledger from before the first update, and no sign of one that grows", numbers
        )
    # What the output is multiplied with to have the targets' units is no growth through layers.
    through = first.total - first.after_head
    if min(first.total, through) < GROWN.value:
        return Healthy("exploding_gradient", f"the gradient changes by {through:+.1f} decades through depth", numbers)
    thrown = _thrown(evidence, first.total)
    if evidence.learning.well and not thrown:
        return Healthy(
            "exploding_gradient", f"it grows by {first.total:.1f} decades through depth, and still it learns", numbers
        )
    seen = f"The gradient is 10^{first.total:.1f} times larger at the first layer than at the head, from step {step}"
    grave: Severity | None = "critical" if thrown else None
    return found("exploding_gradient", explain(first, +1), evidence, seen=seen, step=step, numbers=numbers, grave=grave)


def _thrown(evidence: Evidence, grown: float) -> bool:
    """Whether the loss begins far beyond that of a constant prediction, as the growth foretells."""
    seen = [(o.value, o.constant_loss) for _, o in evidence.objectives[:1] if o.value is not None and o.constant_loss]
    return grown >= 2 * GROWN.value and any(value > FAR.value * constant for value, constant in seen)


CONDITION = Condition("exploding_gradient", "the gradient grows through depth at initialisation", check, (GROWN, FAR))
