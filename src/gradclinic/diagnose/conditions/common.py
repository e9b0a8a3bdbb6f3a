"""What several conditions share: how grave a finding is in the light of whether the run learns."""

from __future__ import annotations

from typing import Any

from gradclinic.schema.finding import ConditionId, Finding, Severity

from ..causes.cause import Cause
from ..evidence import Evidence


def severity(evidence: Evidence) -> Severity:
    """Critical where the training does not work well, a warning where nobody can say yet, a note where it does."""
    return {True: "note", False: "critical", None: "warning"}[evidence.learning.well]  # type: ignore[return-value]


def outcome_sentence(evidence: Evidence) -> str:
    """What the loss did, for the end of an explanation."""
    learning = evidence.learning
    if learning.first is None or learning.last is None:
        return "No loss was seen."
    versus = f", where a constant prediction gives {learning.constant:.4g}" if learning.constant is not None else ""
    return f"The loss went from {learning.first:.4g} to {learning.last:.4g} in {learning.steps} steps{versus}."


def found(
    condition: ConditionId,
    cause: Cause,
    evidence: Evidence,
    *,
    seen: str,
    step: int | None,
    numbers: dict[str, Any],
    grave: Severity | None = None,
    confidence: float | None = None,
) -> Finding:
    """A finding from what was seen and its cause.  ``seen`` is a clause without its full stop."""
    return Finding(
        condition=condition,
        cause=cause.id,
        where=cause.where or ("model",),
        step=step,
        severity=grave or severity(evidence),
        confidence=cause.confidence if confidence is None else confidence,
        evidence=numbers | cause.numbers | evidence.learning.numbers(),
        explanation=f"{seen}: {cause.because}. {outcome_sentence(evidence)}",
        action=cause.action,
        remedies=cause.remedies,
        source=cause.source,
    )
