"""Inputs, targets or outputs that are out of scale before the first step."""

from __future__ import annotations

from gradclinic.schema.finding import Healthy, NotEnoughData, Outcome, Severity

from ..causes.at_start import large_inputs, large_targets
from ..causes.first_loss import FAR_LABELS, FAR_NUMBERS, WIDE, large_outputs
from ..causes.step_size import INPUT_RMS, TARGET_RMS
from ..condition import Condition, Threshold
from ..evidence import Evidence
from .common import found

INPUTS = Threshold("input_rms", INPUT_RMS, "two decades of stable learning rates are lost to its square")
TARGETS = Threshold("target_rms", TARGET_RMS, "a decade beyond what a model's first outputs are")


def check(evidence: Evidence) -> Outcome | list[Outcome]:
    """Of a check-up only: a run's own course says what a scale has done, and other conditions name it.

    Never critical by itself, since many models learn all the same; a note where this one is foreseen to.
    """
    if evidence.forecast is None:
        return NotEnoughData("initial_scale", "a check-up's measurements before the first step")
    causes = (
        ("The inputs are out of scale", large_inputs(evidence)),
        ("The targets are out of scale", large_targets(evidence)),
        ("The model starts far from a constant prediction", large_outputs(evidence)),
    )
    grave: Severity = "note" if evidence.learning.well else "warning"
    outcomes: list[Outcome] = [
        found("initial_scale", cause, evidence, seen=seen, step=0, numbers={}, grave=grave)
        for seen, cause in causes
        if cause is not None
    ]
    return outcomes or Healthy("initial_scale", "inputs, targets and outputs start in scale")


CONDITION = Condition(
    "initial_scale", "inputs, targets or outputs out of scale at the start", check,
    (INPUTS, TARGETS, FAR_LABELS, FAR_NUMBERS, WIDE),
)  # fmt: skip
