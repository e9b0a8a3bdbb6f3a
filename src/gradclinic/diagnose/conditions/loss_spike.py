"""The loss jumps from one step to the next, far out of its noise, after it had settled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradclinic.schema.finding import Healthy, NotEnoughData, Outcome

from ..causes.cause import Cause
from ..causes.step_size import explain_large_steps
from ..condition import Condition, Threshold
from ..evidence import Array, Evidence
from ..series import noise
from .common import found

#: Values before a spike that say what is usual: enough for a median and a noise that one outlier cannot move.
BEFORE = 20
#: Heavy-tailed batch losses leave ten standard errors about once in a million steps; a long run has as many.
FAR = Threshold("noise_multiples", 10.0, "batch noise, heavy tails included, leaves ten standard deviations never")
DOUBLE = Threshold("loss_over_usual", 2.0, "a spike that does not double the loss costs nothing worth a word")
#: A gradient so many times its usual size makes a step that no learning rate was chosen for.
LARGE_GRADIENT = Threshold(
    "gradient_over_usual", 5.0, "clipping practice: far outside of the norm's spread (ZClip: 2.5)"
)


@dataclass(frozen=True, slots=True)
class Spike:
    """One jump of the loss, with the median before it."""

    index: int  #: among the steps taken
    usual: float
    height: float


def check(evidence: Evidence) -> Outcome:
    """Looks for single jumps, and for whether the step or the batch came first."""
    losses = evidence.losses
    if len(losses) < BEFORE + 2 or len(evidence.learning_by_optimizer) > 1:
        return NotEnoughData("loss_spike", f"{BEFORE + 2} losses of one optimizer")
    spikes = _spikes(losses)
    if not spikes:
        return Healthy("loss_spike", "the loss never left its noise")
    worst = max(spikes, key=lambda spike: spike.height / max(abs(spike.usual), 1e-300))
    step = evidence.taken[worst.index].step
    numbers = {"spikes": len(spikes), "loss_before": worst.usual, "loss_at_spike": worst.height}
    if evidence.learning.well:
        return Healthy("loss_spike", "the loss came back from its spikes", numbers)
    cause, order = _cause(evidence, worst)
    seen = f"At step {step} the loss jumped from {worst.usual:.4g} to {worst.height:.4g} and did not come back: {order}"
    return found("loss_spike", cause, evidence, seen=seen, step=step, numbers=numbers)


def _spikes(losses: Array) -> list[Spike]:
    """Losses far above the window before them; what follows within a window belongs to the same spike."""
    found_at: list[Spike] = []
    index = BEFORE
    while index < len(losses):
        window = losses[index - BEFORE : index]
        usual = window[np.isfinite(window)]
        if len(usual) == BEFORE:
            middle = float(np.median(usual))
            limit = middle + max(FAR.value * noise(usual), (DOUBLE.value - 1) * abs(middle))
            if losses[index] > limit and np.isfinite(losses[index]):
                found_at.append(Spike(index, middle, float(losses[index])))
                index += BEFORE
        index += 1
    return found_at


def _cause(evidence: Evidence, spike: Spike) -> tuple[Cause, str]:
    """A step that was too large precedes the loss it throws up; a strange batch shows in the loss at once."""
    totals = evidence.gradient_totals
    before = totals[max(0, spike.index - BEFORE) : spike.index - 1]
    before = before[np.isfinite(before)]
    usual = float(np.median(before)) if len(before) else np.nan
    last = float(totals[spike.index - 1]) if spike.index >= 1 else np.nan
    if np.isfinite(usual) and usual > 0 and last > LARGE_GRADIENT.value * usual:
        return explain_large_steps(evidence), f"the gradient before it was {last / usual:.1f} times its usual size"
    at = float(totals[spike.index])
    if np.isfinite(usual) and usual > 0 and at > LARGE_GRADIENT.value * usual:
        return (
            Cause(
                "input_scale",
                "the step before it was ordinary and its own gradient was not, so that its batch is unlike the others",
                "Look at the batch of that step for values out of range, and clip the gradient's norm.",
                ("data",),
                {"gradient_over_usual": at / usual},
                ("gradient_clipping", "standardise_inputs"),
                "order of events: the loss of a batch is taken before the step that it causes",
                0.6,
            ),
            f"its own gradient was {at / usual:.1f} times the usual size",
        )
    return explain_large_steps(evidence), "no gradient before it stands out"


CONDITION = Condition(
    "loss_spike", "a loss that jumps out of its noise and does not come back", check, (FAR, DOUBLE, LARGE_GRADIENT)
)
