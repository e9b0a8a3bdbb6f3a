"""The gradient grows from the head to the first layer, already before the first update."""

from __future__ import annotations

import numpy as np

from gradclinic.schema.finding import Healthy, NotEnoughData, Outcome

from ..causes.depth import explain
from ..causes.step_size import STEEP
from ..condition import Condition, Threshold
from ..evidence import Evidence
from .common import found

GROWN = Threshold(
    "decades_grown", STEEP, "six depth scales, e^3 of the norm: the edge of trainability (Schoenholz 2017)"
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
    if first.total < GROWN.value:
        return Healthy(
            "exploding_gradient", f"the gradient changes by {first.total:+.1f} decades through depth", numbers
        )
    if evidence.learning.well:
        return Healthy(
            "exploding_gradient", f"it grows by {first.total:.1f} decades through depth, and still it learns", numbers
        )
    seen = f"The gradient is 10^{first.total:.1f} times larger at the first layer than at the head, from step {step}"
    return found("exploding_gradient", explain(first, +1), evidence, seen=seen, step=step, numbers=numbers)


CONDITION = Condition("exploding_gradient", "the gradient grows through depth at initialisation", check, (GROWN,))
