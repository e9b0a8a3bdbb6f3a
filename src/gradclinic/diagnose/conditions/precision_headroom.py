"""Values of the first batch that lie at the end of their number format, before anything has happened."""

from __future__ import annotations

from gradclinic.schema.finding import Healthy, NotEnoughData, Outcome, Severity

from ..causes.headroom import DOUBLINGS, UNITS, near_overflow, near_underflow
from ..condition import Condition
from ..evidence import Evidence
from .common import found


def check(evidence: Evidence) -> Outcome | list[Outcome]:
    """Never critical: nothing is lost yet, and a scaler in the training loop, which no task has, may lift gradients."""
    if not evidence.events("headroom"):
        return NotEnoughData("precision_headroom", "one batch in each module's format")
    outcomes: list[Outcome] = []
    over, under = near_overflow(evidence), near_underflow(evidence)
    if over is not None:
        seen = "Little room is left above"
        outcomes.append(found("precision_headroom", over, evidence, seen=seen, step=0, numbers={}, grave="warning"))
    if under is not None:
        seen = "Little room is left below"
        grave: Severity = "note" if evidence.learning.well else "warning"
        outcomes.append(found("precision_headroom", under, evidence, seen=seen, step=0, numbers={}, grave=grave))
    return outcomes or Healthy("precision_headroom", "values and gradients lie well inside their formats")


CONDITION = Condition(
    "precision_headroom", "values at the end of their number format at the start", check, (DOUBLINGS, UNITS)
)
