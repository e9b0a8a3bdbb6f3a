"""Every weight's gradient is there and is exactly 0."""

from __future__ import annotations

import numpy as np

from gradclinic.schema.finding import Finding, Healthy, NotEnoughData, Outcome, Severity

from ..causes.cause import Cause, listed
from ..causes.exact_zero import explain_zero
from ..condition import Condition, Threshold
from ..evidence import Evidence
from .common import found

#: An adapter's, a gate's or an embedding's gradient is 0 now and then; one in ten steps alive would show learning.
SHARE = Threshold("share_of_steps", 0.9, "a gradient that is alive in one step of ten still moves its weights")
#: Of a gradient's elements.  Behind a ReLU half of them may be 0 for good reason, but not beside elements that are all
#: at the smallest number of the format.
FLUSHED = Threshold("zero_share", 0.5, "half of the gradient's elements are lost")
FEW_UNITS = Threshold("units_of_last_place", 4.0, "an RMS of four units: what is typical keeps two bits at most")
#: The smallest positive number of float16.
SMALLEST_HALF = 2.0**-24
#: More than half of the weights: a frozen or gated part, or a sparse embedding, is less than the model.
MOST = Threshold("share_of_weights", 0.5, "fewer than half is a part of the model that is not in use")


def check(evidence: Evidence) -> Outcome:
    """Looks for weights whose gradient is exactly 0 at nearly every step to the end."""
    zero = evidence.zero[:, evidence.matrices] if len(evidence.matrices) else np.zeros((0, 0), bool)
    if not len(zero) or not zero.shape[1]:
        return NotEnoughData("zero_gradient", "gradients of trained weights")
    flushed = _flushed(evidence)
    if flushed is not None:
        return flushed
    watched = evidence.watched[:, evidence.matrices]
    # From when on: a run may learn for a while and then die.
    begins = _begins(zero | ~watched)
    tail = slice(begins, None)
    steps = len(zero) - begins
    share = zero[tail].sum(axis=0) / np.maximum(watched[tail].sum(axis=0), 1)
    dead = share >= SHARE.value
    # Nearly all weights at nearly all steps: a loss that falls then falls by its biases alone.
    whole = bool(dead.all()) and begins == 0
    if (evidence.learning.well and not whole) or dead.mean() <= MOST.value or steps < 3:
        return Healthy(
            "zero_gradient", "weights receive gradients that are not 0", {"weights_with_zero_gradient": int(dead.sum())}
        )
    modules = tuple(dict.fromkeys(evidence.module_of(int(i)) for i in evidence.matrices[dead]))
    step = evidence.taken[begins].step
    numbers = {"weights_with_zero_gradient": int(dead.sum()), "weights": len(dead), "steps_with_zero_gradient": steps}
    seen = f"From step {step} the gradient of {int(dead.sum())} of {len(dead)} weights is exactly 0"
    cause = explain_zero(evidence, modules, step)
    grave: Severity | None = "critical" if whole else None
    return found("zero_gradient", cause, evidence, seen=seen, step=step, numbers=numbers, grave=grave)


def _flushed(evidence: Evidence) -> Finding | None:
    """Weights whose gradients lie at the lower end of float16, where most elements have become 0; no scaler lifts them.

    Told even where the run learns: what learns has other weights, and these do not.
    """
    if not evidence.in_float16 or any(step.scale is not None for step in evidence.steps):
        return None
    table = evidence.gradient_statistics[:, evidence.matrices]
    share = np.median(table["zeros"] / np.maximum(table["count"], 1), axis=0)
    size = np.nanmedian(evidence.gradient_rms[:, evidence.matrices], axis=0)
    partly = (share >= FLUSHED.value) & (share < 1) & (size < FEW_UNITS.value * SMALLEST_HALF)
    if not partly.any():
        return None
    lost = partly | (share == 1)
    modules = tuple(dict.fromkeys(evidence.module_of(int(i)) for i in evidence.matrices[lost]))
    cause = Cause(
        "precision_underflow",
        f"their gradients (RMS {float(size[partly].max()):.1e}) are no larger than the smallest number of float16,"
        " 6e-8, and nothing scales the loss up",
        "Use torch.amp.GradScaler, or bfloat16 in place of float16.",
        modules[:8],
        {"zero_share": float(share[partly].max()), "gradient_rms": float(size[partly].max())},
        ("gradient_scaler", "bfloat16"),
        "smallest float16: 2^-24 = 6e-8 (Micikevicius 2018)",
        0.9,
    )
    seen = f"Most elements of the gradient of {listed(modules)} are exactly 0"
    return found("zero_gradient", cause, evidence, seen=seen, step=0, numbers={}, grave="critical")


def _begins(zero: np.ndarray[tuple[int, int], np.dtype[np.bool_]]) -> int:
    """The first row from which on most weights are dead in nearly all rows."""
    dead = zero.mean(axis=1) > MOST.value
    if not dead.any():
        return 0
    first, alive = int(np.argmax(dead)), np.flatnonzero(~dead)
    if dead[first:].mean() >= SHARE.value or not len(alive):
        return first
    return min(int(alive[-1]) + 1, len(dead) - 1)


CONDITION = Condition(
    "zero_gradient", "most weights have a gradient of exactly 0", check, (SHARE, MOST, FLUSHED, FEW_UNITS)
)
