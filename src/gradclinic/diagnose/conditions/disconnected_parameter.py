"""A weight that an optimizer holds, or that a gradient reaches, but that the two never bring together."""

from __future__ import annotations

from gradclinic.schema.finding import Finding, Healthy, NotEnoughData, Outcome, Severity

from ..causes.cause import listed
from ..causes.cut_graph import CERTAIN, FIRST_WEIGHTS, explain_cut
from ..causes.untrained import untrained
from ..condition import Condition, Threshold
from ..evidence import Evidence
from .common import found, outcome_sentence

PREFIX = Threshold(
    "weights_cut_off",
    FIRST_WEIGHTS,
    "a cut graph leaves out all layers before the cut; one unused weight is common and harmless",
)
#: Steps that must agree: a branch taken at random with probability 1/2 is missed five times in a row in 3% of runs.
STEPS = Threshold("steps", 5, "a branch taken half of the time is missed five times in a row in 3% of runs")


def check(evidence: Evidence) -> Outcome | list[Outcome]:
    """Compares which weights want gradients with which ever got one."""
    if len(evidence.taken) < STEPS.value:
        return NotEnoughData("disconnected_parameter", f"{STEPS.value:g} steps")
    watched, missing = evidence.watched, evidence.missing
    never = watched.any(axis=0) & (missing.sum(axis=0) == watched.sum(axis=0))
    wanting = [
        p for p in evidence.parameters if p.requires_grad and p.optimizer is not None and p.index < evidence.width
    ]
    cut = [p.index for p in wanting if never[p.index]]
    outcomes: list[Outcome] = []
    if cut:
        outcomes.append(_cut_off(evidence, cut, [p.index for p in wanting]))
    outcomes.extend(untrained(evidence))
    return outcomes or Healthy("disconnected_parameter", "every weight that an optimizer holds gets a gradient")


def _cut_off(evidence: Evidence, cut: list[int], wanting: list[int]) -> Finding:
    if len(cut) == len(wanting) and evidence.events("gradient_cleared_before_step"):
        return _cleared_too_early(evidence, cut)
    cause = explain_cut(evidence, cut, wanting)
    works = evidence.learning.works
    weights = set(evidence.matrices.tolist())
    most = works is False and len(weights) > 0 and 2 * len(weights.intersection(cut)) >= len(weights)
    grave: Severity = "critical" if cause.confidence >= CERTAIN or most else "warning" if works is False else "note"
    count = len(evidence.taken)
    seen = f"{listed(cause.where)} never got a gradient in {count} steps ({len(cut)} of {len(wanting)} parameters)"
    numbers = {"steps_watched": count}
    return found("disconnected_parameter", cause, evidence, seen=seen, step=0, numbers=numbers, grave=grave)


def _cleared_too_early(evidence: Evidence, cut: list[int]) -> Finding:
    return Finding(
        "disconnected_parameter",
        "optimizer_order",
        ("optimizer",),
        0,
        "critical",
        0.9,
        {"weights_without_gradient": len(cut), "steps_watched": len(evidence.taken)} | evidence.learning.numbers(),
        "The backward pass reaches the weights, and at the step none of them has a gradient: it was cleared in"
        f" between. {outcome_sentence(evidence)}",
        "Call optimizer.zero_grad() before backward(), not between backward() and step().",
        ("zero_grad",),
        "zero_grad() sets .grad to None, and an optimizer skips what has no gradient",
    )


CONDITION = Condition(
    "disconnected_parameter", "a trained weight that the loss does not depend on", check, (PREFIX, STEPS)
)
