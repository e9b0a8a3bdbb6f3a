"""From single findings to an answer: the origin first, later symptoms as its consequences."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace

from gradclinic.schema.finding import Finding, Verdict
from gradclinic.schema.record import Ending

from .causes.cause import listed
from .evidence import Evidence
from .foretold import foretold
from .words import SEEN, WHY

#: What nothing else in the run can bring about: each stands for itself.
_INDEPENDENT = (
    "wrong_objective",
    "wrong_gradient",
    "disconnected_parameter",
    "initial_scale",
    "precision_headroom",
)
#: The order of events: what is there before the first step comes before what the steps do, and both before what
#: nobody can explain.
_STAGES: tuple[tuple[str, ...], ...] = (
    ("loss_broadcast", "gradient_ascent", "empty_target", "loss_mismatch", "wrong_backward", "detached_graph",
     "frozen_parameter", "clip_before_unscale", "optimizer_order", "invalid_operation", "output_activation"),
    ("input_scale", "target_scale", "loss_reduction", "symmetric_init", "saturating_activation", "unbounded_activation",
     "weight_scale_small", "weight_scale_large", "missing_shortcut", "normalization_depth", "normalization_placement",
     "recurrent_contraction", "recurrent_expansion", "precision_rounding", "precision_overflow", "precision_underflow"),
    ("learning_rate_high", "learning_rate_low", "optimizer_epsilon", "weight_decay_high"),
    ("unknown", "convergence"),
)  # fmt: skip
#: What a consequence keeps of its evidence: where a value first was not finite.
_ORIGIN = ("direction", "op", "module")
_GRAVITY = {"critical": 0, "warning": 1, "note": 2}
#: What is only ever brought about by something else: units die of the steps, a loss is flat because of all that.
_SYMPTOMS = {"zero_gradient": 1, "dead_units": 1, "saturated_units": 1, "oscillation": 2, "plateau": 2, "converged": 3}


def stage(finding: Finding) -> int:
    """Where in the order of events a finding's cause lies, 0 the earliest.

    A cause that only a test or a measurement on copies suggests comes last: whatever the record itself names is better
    founded.
    """
    if finding.evidence.get("found_by") in ("test", "reach"):
        return len(_STAGES) - 1
    return next((index for index, causes in enumerate(_STAGES) if finding.cause in causes), len(_STAGES) - 1)


def arrange(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Orders findings by gravity and cause, and folds what the first critical one brought about into its evidence."""
    ordered = sorted(findings, key=_rank)
    if not ordered or ordered[0].severity != "critical":
        return tuple(ordered)
    origin, rest = ordered[0], ordered[1:]
    independent = [f for f in rest if f.condition in _INDEPENDENT]
    folded = [f for f in rest if f.condition not in _INDEPENDENT and f.condition != "converged"]
    if not folded:
        return (origin, *independent)
    consequences = [
        {"condition": f.condition, "cause": f.cause, "where": list(f.where), "step": f.step}
        | {key: f.evidence[key] for key in _ORIGIN if key in f.evidence}
        for f in sorted(folded, key=lambda f: (f.step is None, f.step or 0))
    ]
    return (replace(origin, evidence=origin.evidence | {"consequences": consequences}), *independent)


def _rank(finding: Finding) -> tuple[int, int, int, int, float]:
    early = finding.step if finding.step is not None else sys.maxsize
    return (
        _GRAVITY[finding.severity],
        stage(finding),
        _SYMPTOMS.get(finding.condition, 0),
        early,
        -finding.confidence,
    )


def verdict(findings: Sequence[Finding], evidence: Evidence) -> Verdict:
    """Sick where something is critical, healthy where it learns (or falls), undecided where nobody can say."""
    if any(finding.severity == "critical" for finding in findings):
        return "sick"
    learning = evidence.learning
    if learning.state == "learning":
        return "healthy"
    if learning.state == "falling" and not learning.above_constant:
        return "healthy"
    return "undecided"


def headline(answer: Verdict, findings: Sequence[Finding], evidence: Evidence) -> str:
    """The answer in one sentence."""
    if evidence.forecast is not None:
        return foretold(answer, findings, evidence.forecast)
    ended = _ended(evidence.record.ending)
    learning = evidence.learning
    if answer == "sick":
        first = findings[0]
        where = f" in {listed(first.where)}" if first.where and first.where[0] != "model" else ""
        since = f" since step {first.step}" if first.step else ""
        seen, why = SEEN.get(first.condition, first.condition), WHY.get(first.cause, first.cause)
        return f"Sick: {seen}{where}{since}, because {why}." + ended
    if answer == "healthy":
        fell = (
            f"the loss went from {learning.first:.4g} to {learning.last:.4g}"
            if learning.first is not None and learning.last is not None
            else learning.reason
        )
        return f"Healthy: {fell} in {learning.steps} steps." + ended
    if not evidence.record.steps:
        return _nothing_seen(evidence) + ended
    likely = next((f for f in findings if f.severity == "warning"), None)
    if likely is not None:
        seen = SEEN.get(likely.condition, likely.condition)
        return f"Undecided ({learning.reason}), but look at this: {seen} in {listed(likely.where)}." + ended
    return f"Undecided: {learning.reason}." + ended


def _nothing_seen(evidence: Evidence) -> str:
    if evidence.record.info.torch is None:
        return "Undecided: the script never imported torch, so that there was nothing to watch."
    if evidence.record.parameters or evidence.record.optimizers:
        return "Undecided: the script took no optimizer step."
    return "Undecided: the script never called backward, so that there was nothing to watch."


def _ended(ending: Ending | None) -> str:
    if ending is None:
        return " The run has no end: it was killed, or is still running."
    if ending.status == "failed":
        return f" The script failed with {ending.error or f'exit code {ending.exit_code}'}."
    if ending.status == "interrupted":
        return " The run was interrupted."
    if ending.status == "killed":
        return " The run was killed."
    return ""
