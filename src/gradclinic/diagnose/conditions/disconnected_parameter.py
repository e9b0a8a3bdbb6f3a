"""A weight that an optimizer holds, or that a gradient reaches, but that the two never bring together."""

from __future__ import annotations

import numpy as np

from gradclinic.schema.finding import Finding, Healthy, NotEnoughData, Outcome, Severity

from ..causes.cause import listed
from ..condition import Condition, Threshold
from ..evidence import Evidence
from .common import outcome_sentence

#: Two layers at least: a single unused parameter (a pooler, a mask token) is common in healthy models.
PREFIX = Threshold(
    "weights_cut_off", 2, "a cut graph leaves out all layers before the cut; one unused weight is common and harmless"
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
    weights = [i for i in wanting if i in set(evidence.matrices.tolist())]
    lost = [i for i in weights if i in set(cut)]
    everything = len(cut) == len(wanting)
    if everything and evidence.events("gradient_cleared_before_step"):
        return _cleared_too_early(evidence, cut)
    # A cut graph loses every layer before the cut; an unused head or pooler lies anywhere else.
    prefix = len(lost) >= PREFIX.value and lost == weights[: len(lost)] and len(lost) < len(weights)
    works = evidence.learning.works
    most = works is False and len(weights) > 0 and 2 * len(lost) >= len(weights)
    grave: Severity = "critical" if everything or prefix or most else ("warning" if works is False else "note")
    modules = tuple(dict.fromkeys(evidence.module_of(i) for i in cut))
    if everything:
        because = "no weight that the optimizer holds gets a gradient: the loss does not depend on them"
        action = (
            "Check that the optimizer was given the parameters of the model that computes the loss, and that nothing"
            " between them and the loss is detached."
        )
    elif prefix:
        last = evidence.module_of(lost[-1])
        following = evidence.module_of(weights[len(lost)])
        because = (
            f"the graph is cut between `{last}` and `{following}`: everything before it stays as it was initialised"
        )
        action = f"Remove the detach(), no_grad() or numpy() between `{last}` and `{following}`."
    else:
        because = "the loss does not depend on them: they are not used in the forward pass, or they are detached"
        action = f"Use {listed(modules)} in the forward pass, or leave them out of the optimizer."
    return Finding(
        "disconnected_parameter",
        "detached_graph",
        modules[:8],
        0,
        grave,
        0.9 if everything or prefix else 0.6,
        {"weights_without_gradient": len(cut), "weights": len(wanting), "steps_watched": len(evidence.taken)}
        | evidence.learning.numbers(),
        f"{listed(modules)} never got a gradient in {len(evidence.taken)} steps ({len(cut)} of {len(wanting)}"
        f" parameters): {because}. {outcome_sentence(evidence)}",
        action,
        ("reconnect_graph",),
        "autograd leaves .grad None where the loss does not depend on a parameter",
    )


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
