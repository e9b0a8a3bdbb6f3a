"""A weight that an optimizer holds, or that a gradient reaches, but that the two never bring together."""

from __future__ import annotations

import numpy as np

from gradclinic.schema.finding import Finding, Healthy, NotEnoughData, Outcome, Severity

from ..causes.cause import listed
from ..causes.cut_graph import CERTAIN, FIRST_WEIGHTS, explain_cut
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
    outcomes.extend(_unowned(evidence))
    outcomes.extend(_frozen(evidence) or _only_vectors(evidence))
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


def _unowned(evidence: Evidence) -> list[Outcome]:
    """Weights that want gradients but that no optimizer holds, in a run that does not learn."""
    if not evidence.record.optimizers or any(o.name == "by hand" for o in evidence.record.optimizers):
        return []
    loose = [p for p in evidence.parameters if p.requires_grad and p.optimizer is None]
    held = [p for p in evidence.parameters if p.requires_grad and p.optimizer is not None]
    size = sum(int(np.prod(p.shape)) for p in loose)
    if not loose or size < sum(int(np.prod(p.shape)) for p in held) or evidence.learning.works is not False:
        return []
    modules = tuple(dict.fromkeys(p.module or p.name for p in loose))
    return [
        Finding(
            "disconnected_parameter",
            "frozen_parameter",
            modules[:8],
            0,
            "critical",
            0.7,
            {"parameters_without_optimizer": len(loose), "elements": size} | evidence.learning.numbers(),
            f"No optimizer holds {listed(modules)}, more than half of the model: they want gradients and are never"
            f" stepped. {outcome_sentence(evidence)}",
            f"Give the parameters of {listed(modules)} to the optimizer.",
            ("add_to_optimizer",),
            "an optimizer steps only the parameters it was given",
        )
    ]


def _frozen(evidence: Evidence) -> list[Outcome]:
    """A model that does not learn and whose last layer, of all, is frozen.

    Frozen features under a trained head are how people fine-tune; a frozen head under nothing trained is a slip.
    """
    weights = [p for p in evidence.parameters if len(p.shape) >= 2]
    frozen = [p for p in weights if not p.requires_grad]
    if not frozen or evidence.learning.works is not False or weights[-1].requires_grad:
        return []
    size = sum(int(np.prod(p.shape)) for p in frozen)
    if 2 * size < sum(int(np.prod(p.shape)) for p in weights):
        return []
    modules = tuple(dict.fromkeys(p.module or p.name for p in frozen))
    head = weights[-1].module or weights[-1].name
    return [
        Finding(
            "disconnected_parameter",
            "frozen_parameter",
            (head, *(name for name in modules[:7] if name != head)),
            0,
            "critical",
            0.85,
            {"frozen_weights": len(frozen), "weights": len(weights), "elements": size} | evidence.learning.numbers(),
            f"{len(frozen)} of {len(weights)} weights have requires_grad=False, the last layer `{head}` among them: "
            f"hardly anything is trained. {outcome_sentence(evidence)}",
            f"Set requires_grad_(True) on `{head}`, and on whatever else is meant to be trained.",
            ("unfreeze",),
            "fine-tuning trains the head at least",
        )
    ]


def _only_vectors(evidence: Evidence) -> list[Outcome]:
    """A phase that does not learn, whose optimizer holds biases and gains only, beside frozen weights."""
    frozen = [p for p in evidence.parameters if not p.requires_grad and len(p.shape) >= 2]
    for index, learning in evidence.learning_by_optimizer.items():
        held = [p for p in evidence.parameters if p.optimizer == index and p.requires_grad]
        if not frozen or not held or learning.works is not False or any(len(p.shape) >= 2 for p in held):
            continue
        modules = tuple(dict.fromkeys(p.module or p.name for p in frozen))
        names = listed([p.name for p in held])
        return [
            Finding(
                "disconnected_parameter",
                "frozen_parameter",
                modules[:8],
                0,
                "critical",
                0.85,
                {"frozen_weights": len(frozen), "trained_vectors": len(held)} | learning.numbers(),
                f"The optimizer trains {names} only, no weight: {listed(modules)} have requires_grad=False. The loss"
                f" went from {learning.first:.4g} to {learning.last:.4g} in {learning.steps} steps.",
                f"Set requires_grad_(True) on the weight of {listed(modules)}, the last layer's at least.",
                ("unfreeze",),
                "a bias shifts every prediction alike: it cannot tell inputs apart",
            )
        ]
    return []


CONDITION = Condition(
    "disconnected_parameter", "a trained weight that the loss does not depend on", check, (PREFIX, STEPS)
)
