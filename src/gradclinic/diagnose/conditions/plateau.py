"""The loss stays at what a constant prediction gives."""

from __future__ import annotations

from gradclinic.schema.finding import Healthy, NotEnoughData, Outcome

from ..causes import at_start
from ..causes.apart import normalised_apart
from ..causes.cause import Cause
from ..causes.data import neglected_outputs, out_of_reach, plain_fault, rounded_inputs
from ..causes.foreseen import hopeless, too_fast, too_slow
from ..causes.forgetting import forgotten
from ..causes.misplaced import misplaced
from ..causes.post_norm import normalised_after_shortcuts
from ..causes.revived import revived
from ..causes.step_size import VIOLENT, explain_large_steps, small_inputs, too_large
from ..causes.tested import found_by_test
from ..condition import Condition, Threshold
from ..evidence import Evidence
from ..forecast import Forecast
from ..learning import FLAT_STEPS
from .common import found

STEPS = Threshold("steps", FLAT_STEPS, "ten windows of five losses, the fewest with a robust median")
SHAKEN = Threshold(
    "relative_update", VIOLENT, "the initialisation is replaced within ten steps, the memory of Adam's momentum"
)


def check(evidence: Evidence) -> Outcome:
    """Needs the loss of a constant prediction: a flat loss alone may be a run that has converged."""
    learning = evidence.learning
    neglected = neglected_outputs(evidence) if evidence.forecast is None else None
    if neglected is not None:
        seen = "A part of what is predicted is not learned, whatever the loss as a whole does"
        return found("plateau", neglected, evidence, seen=seen, step=0, numbers={}, grave="critical")
    apart = normalised_apart(evidence) if evidence.forecast is None else None
    if apart is not None:
        seen = "The loss came down by less than half of the way"
        return found("plateau", apart, evidence, seen=seen, step=0, numbers={}, grave="critical")
    if evidence.forecast is None and not learning.well:
        fault = plain_fault(evidence) or forgotten(evidence) if learning.works else out_of_reach(evidence)
        if fault is not None:
            seen = "The loss came down by less than half of the way" if learning.works else "The loss hardly moves"
            return found("plateau", fault, evidence, seen=seen, step=0, numbers={"steps": learning.steps})
    if learning.works:
        return Healthy("plateau", learning.reason)
    if learning.works is None:
        return NotEnoughData("plateau", learning.reason)
    if evidence.forecast is not None:
        seen = "It is not foreseen to arrive"
        return found("plateau", _foreseen(evidence, evidence.forecast), evidence, seen=seen, step=0, numbers={})
    if learning.state == "falling":
        return Healthy("plateau", "the loss is still falling")
    if learning.state == "rising" and not too_large(evidence):
        return Healthy("plateau", "the loss rises")
    if learning.constant is None and not too_large(evidence):
        return NotEnoughData(
            "plateau", "a reference: the loss is flat, but what a constant prediction would give is not known"
        )
    if learning.constant is not None and not learning.above_constant:
        return Healthy("plateau", "the loss is below that of a constant prediction")
    cause = explain_large_steps(evidence) if too_large(evidence) else _unexplained(evidence)
    seen = (
        "The loss is flat at what a constant prediction gives" if learning.constant is not None else "The loss is flat"
    )
    return found("plateau", cause, evidence, seen=seen, step=0, numbers={"steps": learning.steps})


def _foreseen(evidence: Evidence, known: Forecast) -> Cause:
    named = too_slow(evidence) or too_fast(evidence) or _median_of_labels(evidence)
    return named or at_start.small_inputs(evidence) or hopeless(known)


def _unexplained(evidence: Evidence) -> Cause:
    small = (
        misplaced(evidence)
        or rounded_inputs(evidence)
        or revived(evidence)
        or small_inputs(evidence)
        or _median_of_labels(evidence)
    )
    if small is not None:
        return small
    cause = explain_large_steps(evidence)
    if cause.id in ("input_scale", "target_scale"):
        return cause
    tested = forgotten(evidence) or found_by_test(evidence) or normalised_after_shortcuts(evidence)
    if tested is not None:
        return tested
    return Cause(
        "unknown",
        "gradients, weights and updates look ordinary, so that inputs and targets may not belong together",
        "Check on ten samples that inputs and targets belong together, and try to overfit one batch.",
        ("model",),
        {},
        ("overfit_one_batch",),
        "a model that learns anything beats the best constant prediction",
        0.4,
    )


def _median_of_labels(evidence: Evidence) -> Cause | None:
    """An absolute error against labels of 0 and 1, for which t² = t, so that their mean is their mean square."""
    for _, objective in evidence.objectives[:1]:
        mean, rms = objective.target_mean, objective.target_rms
        if objective.op not in ("L1Loss", "Sub Abs") or mean is None or rms is None or not 0 < mean < 1:
            continue
        if abs(mean - rms**2) < 1e-6:
            return Cause(
                "loss_mismatch",
                "an absolute error against labels of 0 and 1 is least at their median, one of the two, and has the same"
                " slope everywhere, so that nothing tells a near miss from a far one",
                "Use binary_cross_entropy_with_logits for labels of 0 and 1.",
                (objective.op,),
                {"target_mean": mean},
                ("bce_with_logits",),
                "the median minimises the absolute error",
                0.75,
            )
    return None


CONDITION = Condition("plateau", "a loss that stays at what a constant prediction gives", check, (STEPS, SHAKEN))
