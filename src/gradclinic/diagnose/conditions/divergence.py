"""The loss rises, or was thrown up by the first steps and never came back below where it began."""

from __future__ import annotations

import numpy as np

from gradclinic.schema.finding import Healthy, NotEnoughData, Outcome

from ..causes.cause import Cause
from ..causes.foreseen import too_fast
from ..causes.relapse import raised_beyond
from ..causes.step_size import VIOLENT, explain_large_steps, too_large
from ..condition import Condition, Threshold
from ..evidence import Array, Evidence
from .common import found

#: For a convex loss with minimum 0, a step of gradient descent brings the weights nearer to the minimum only while
#: lr·‖g‖² < 2·loss (Polyak 1969); beyond it the first-order change promises more than the loss has to give.
POLYAK = Threshold(
    "promised_over_loss", 2.0, "gradient descent moves away from a convex minimum at lr·‖g‖² > 2·loss (Polyak 1969)"
)
#: A factor two is more than the spread of mini-batch losses around their mean, which is bounded by their size for
#: a loss that cannot be negative.
THROWN = Threshold(
    "peak_over_first", 2.0, "a non-negative loss doubles only by chance in single batches, not in a window's median"
)
SHAKEN = Threshold(
    "relative_update", VIOLENT, "the initialisation is replaced within ten steps, the memory of Adam's momentum"
)


def check(evidence: Evidence) -> Outcome:
    """Looks for a loss above its start together with steps large enough to explain it."""
    learning = evidence.learning
    if learning.first is None:
        return NotEnoughData("divergence", "losses")
    raised = raised_beyond(evidence) if evidence.forecast is None else None
    if raised is not None:
        cause, step = raised
        seen = f"What had been learned was lost again from step {step} on"
        return found("divergence", cause, evidence, seen=seen, step=step, numbers={}, grave="critical")
    if learning.well:
        return Healthy("divergence", learning.reason)
    fast = too_fast(evidence)
    if fast is not None:
        seen = "The first real steps throw the loss up" if learning.state == "rising" else "The steps overshoot"
        return found("divergence", _or_origin(evidence, fast), evidence, seen=seen, step=0, numbers={})
    promised = _promised(evidence)
    growth = _gradient_growth(evidence)
    rising = learning.state == "rising"
    scale = max(abs(learning.first), abs(learning.constant or 0.0), 1e-12)
    thrown = learning.peak is not None and learning.peak > THROWN.value * scale
    early = _early_peak(evidence) > THROWN.value * scale
    strong = too_large(evidence) or promised > POLYAK.value
    numbers = {"promised_over_loss": promised, "gradient_growth": growth}
    if evidence.jump is not None:
        numbers["relative_update"] = evidence.jump
    if not (strong and (rising or thrown or early)) and not (rising and thrown and growth > 1):
        return Healthy("divergence", "the loss did not rise because of the steps", numbers)
    cause = explain_large_steps(evidence)
    if learning.turned is not None and learning.turned > 10:
        seen, step = f"The loss fell until step {learning.turned} and then rose", learning.turned
    else:
        step = _rise_begins(evidence)
        seen = (
            f"The loss rose from {learning.first:.4g} to {max(learning.peak or 0.0, _early_peak(evidence)):.4g},"
            f" beginning at step {step}"
        )
    return found("divergence", cause, evidence, seen=seen, step=step, numbers=numbers)


def _or_origin(evidence: Evidence, fast: Cause) -> Cause:
    """What makes the steps too large, where that is more than the learning rate itself."""
    origin = explain_large_steps(evidence)
    return fast if origin.id == "learning_rate_high" else origin


def _finite_losses(evidence: Evidence) -> Array:
    losses = evidence.losses
    return losses[np.isfinite(losses)]


def _early_peak(evidence: Evidence) -> float:
    """Largest median of three neighbouring losses in the first twenty steps: the throw of a first step is short."""
    losses = _finite_losses(evidence)[:20]
    if len(losses) < 3:
        return float(losses.max(initial=0.0))
    return float(max(np.median(losses[i : i + 3]) for i in range(len(losses) - 2)))


def _rise_begins(evidence: Evidence) -> int:
    """The first step whose loss is above everything before it and twice the first."""
    first = evidence.learning.first or 0.0
    for step in evidence.taken:
        if step.loss is not None and (not np.isfinite(step.loss) or step.loss > first + THROWN.value / 2 * abs(first)):
            return step.step
    return 0


def _promised(evidence: Evidence) -> float:
    """Largest first-order fall promised by a step of the first ten, over the loss it had: lr·‖g‖²/loss.

    Only for optimizers that step along the gradient itself; 0 where unknown.
    """
    if evidence.scale_free:
        return 0.0
    best = 0.0
    for step, total in list(zip(evidence.taken, evidence.gradient_totals, strict=True))[:10]:
        if step.loss and np.isfinite(step.loss) and np.isfinite(total) and step.lr:
            with np.errstate(over="ignore"):
                best = max(best, float(max(step.lr) * total * total / abs(step.loss)))
    return best


def _gradient_growth(evidence: Evidence) -> float:
    """Decades from the median gradient of the first five steps to the largest later one."""
    totals = evidence.gradient_totals
    totals = totals[np.isfinite(totals) & (totals > 0)]
    if len(totals) < 2:
        return 0.0
    return float(np.log10(totals[1:].max() / np.median(totals[:5])))


CONDITION = Condition("divergence", "the loss rises because the steps are too large", check, (POLYAK, THROWN, SHAKEN))
