"""The run has learned, and has stopped because there is little left to learn."""

from __future__ import annotations

import numpy as np

from gradclinic.schema.finding import Finding, Healthy, NotEnoughData, Outcome

from ..condition import Condition, Threshold
from ..evidence import Evidence
from ..series import window_medians
from .common import outcome_sentence

#: A gradient through the same network falls in proportion to the error: a hundredth of the loss and no more.
LEFT = Threshold("loss_left", 0.01, "99% of what a constant prediction gets wrong is learned")


def check(evidence: Evidence) -> Outcome:
    """Looks for a loss near zero: small gradients are then what should be there."""
    learning = evidence.learning
    if learning.first is None or learning.last is None:
        return NotEnoughData("converged", "losses")
    scale = learning.constant if learning.constant is not None else learning.first
    losses = evidence.losses[np.isfinite(evidence.losses)]
    if not (scale > 0 and 0 <= learning.last < LEFT.value * scale):
        return Healthy(
            "converged", "there is still something to learn", {"loss_left": learning.last / scale if scale else 0.0}
        )
    medians = window_medians(losses)
    reached = int(np.argmax(medians < LEFT.value * scale))
    step = evidence.taken[min(reached * max(len(losses) // max(len(medians), 1), 1), len(evidence.taken) - 1)].step
    return Finding(
        "converged",
        "convergence",
        ("model",),
        step,
        "note",
        0.9,
        {"loss_left": learning.last / scale} | learning.numbers(),
        f"The loss is at {100 * learning.last / scale:.2g}% of its reference since about step {step}; small gradients"
        f" are what a good fit has. {outcome_sentence(evidence)}",
        "Nothing: stop here, or check it on held-out data.",
        (),
        "the gradient of a loss goes to 0 with the error",
    )


CONDITION = Condition("converged", "a run that has learned what there is", check, (LEFT,))
