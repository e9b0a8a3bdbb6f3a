"""The loss jumps up and down in step with the optimizer, and goes nowhere."""

from __future__ import annotations

import numpy as np

from gradclinic.schema.finding import Healthy, NotEnoughData, Outcome

from ..causes.step_size import explain_large_steps
from ..condition import Condition, Threshold
from ..evidence import Evidence
from ..series import alternation
from .common import found

#: White noise has 0 with a standard error of 1/√n; at 64 steps -0.5 is four errors away.
ALTERNATION = Threshold("lag_one_correlation", -0.5, "batch noise gives 0 ± 1/√n; a step beyond 2/λ gives -1")
STEPS = Threshold("steps", 64, "at 64 steps -0.5 is four standard errors from batch noise")


def check(evidence: Evidence) -> Outcome:
    """Looks for the period-two orbit of a step beyond the stability limit."""
    losses = evidence.losses[np.isfinite(evidence.losses)]
    if len(losses) < STEPS.value:
        return NotEnoughData("oscillation", f"{STEPS.value:g} losses")
    if len({step.optimizer for step in evidence.taken}) > 1:
        return NotEnoughData("oscillation", "one optimizer: with several the losses alternate by themselves")
    value = alternation(losses[-int(STEPS.value) :])
    numbers = {"lag_one_correlation": value}
    if value > ALTERNATION.value or evidence.learning.well:
        return Healthy("oscillation", "neighbouring losses do not alternate, or it learns all the same", numbers)
    return found(
        "oscillation",
        explain_large_steps(evidence),
        evidence,
        seen=f"The loss alternates from step to step (correlation of neighbours {value:.2f})",
        step=0,
        numbers=numbers,
    )


CONDITION = Condition(
    "oscillation", "a loss that jumps up and down in step with the optimizer", check, (ALTERNATION, STEPS)
)
