"""Weights that nobody trains: no optimizer has them, or they want no gradient."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradclinic.schema.finding import Finding

from ..conditions.common import outcome_sentence
from ..evidence import Evidence
from .cause import listed

#: Share of an optimizer's steps by whose end a gradient that was there at first must have gone for good to have been
#: turned off by a slip; who freezes layers on purpose does it after a while of training.
SOON = 0.05
#: And steps without it that must follow.
STEPS_WITHOUT = 20


def untrained(evidence: Evidence) -> list[Finding]:
    """What is told of weights that are never trained; each rule at most once."""
    found = [next(rule(evidence), None) for rule in (_orphans, _turned_off, _unowned)]
    found.append(next(_frozen(evidence), None) or next(_only_vectors(evidence), None))
    return [finding for finding in found if finding is not None]


def _orphans(evidence: Evidence) -> Iterator[Finding]:
    """Layers in a plain list or dict: the model computes with them, and its parameters() knows nothing of them."""
    for event in evidence.events("orphan_parameters"):
        data = event.data
        modules = tuple(dict.fromkeys(name.rpartition(".")[0] or name for name in data["parameters"]))
        yield Finding(
            "disconnected_parameter",
            "frozen_parameter",
            modules[:8],
            0,
            "critical",
            0.95,
            {"parameters_without_optimizer": data["count"], "elements": data["elements"]} | evidence.learning.numbers(),
            f"{data['inside']} computes with {listed(modules)}, and its parameters() does not list them, so that no"
            f" optimizer ever steps their {data['elements']} elements. {outcome_sentence(evidence)}",
            f"Register them in {data['inside']}: nn.ModuleList or nn.ModuleDict in place of a plain list or dict,"
            " nn.Parameter assigned to the module itself.",
            ("register_modules",),
            "torch.nn.Module registers modules and parameters that are its attributes, not what a list holds",
        )


def _turned_off(evidence: Evidence) -> Iterator[Finding]:
    """Most weights of an optimizer had a gradient in the first steps and never again: requires_grad turned off."""
    owners = np.array([step.optimizer for step in evidence.taken], dtype=np.int64)
    for index in evidence.optimizers:
        rows = owners == index
        mine = [p.index for p in evidence.parameters if p.optimizer == index and p.index in set(evidence.matrices)]
        if not mine or rows.sum() < STEPS_WITHOUT:
            continue
        missing = evidence.missing[rows][:, mine]
        last_seen = np.array([int(np.flatnonzero(~column)[-1]) if (~column).any() else -1 for column in missing.T])
        soon = max(3, int(SOON * len(missing)))
        off = (last_seen >= 0) & (last_seen < soon) & (len(missing) - last_seen > STEPS_WITHOUT)
        if 2 * off.sum() <= len(mine):
            continue
        lost = [place for place, gone in zip(mine, off, strict=True) if gone]
        modules = tuple(dict.fromkeys(evidence.module_of(place) for place in lost))
        step = int(last_seen[off].max()) + 1
        yield Finding(
            "disconnected_parameter",
            "frozen_parameter",
            modules[:8],
            step,
            "critical",
            0.85,
            {"weights_turned_off": len(lost), "weights": len(mine), "steps_with_gradient": step}
            | evidence.learning.numbers(),
            f"{listed(modules)} got gradients in the first {step} steps of their optimizer and none in the"
            f" {len(missing) - step} after them. {outcome_sentence(evidence)}",
            f"Turn gradients on again where they were turned off for another step: requires_grad_(True) on"
            f" {listed(modules)}.",
            ("unfreeze",),
            "an optimizer skips a parameter without a gradient",
        )


def _unowned(evidence: Evidence) -> Iterator[Finding]:
    """Weights that want gradients but that no optimizer holds, in a run that does not learn."""
    if not evidence.record.optimizers or any(o.name == "by hand" for o in evidence.record.optimizers):
        return
    loose = [p for p in evidence.parameters if p.requires_grad and p.optimizer is None]
    held = [p for p in evidence.parameters if p.requires_grad and p.optimizer is not None]
    size = sum(int(np.prod(p.shape)) for p in loose)
    if not loose or size < sum(int(np.prod(p.shape)) for p in held) or evidence.learning.works is not False:
        return
    modules = tuple(dict.fromkeys(p.module or p.name for p in loose))
    yield Finding(
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


def _frozen(evidence: Evidence) -> Iterator[Finding]:
    """A model that does not learn and whose last layer, of all, is frozen.

    Frozen features under a trained head are how people fine-tune; a frozen head under nothing trained is a slip.
    """
    weights = [p for p in evidence.parameters if len(p.shape) >= 2]
    frozen = [p for p in weights if not p.requires_grad]
    if not frozen or evidence.learning.works is not False or weights[-1].requires_grad:
        return
    size = sum(int(np.prod(p.shape)) for p in frozen)
    if 2 * size < sum(int(np.prod(p.shape)) for p in weights):
        return
    modules = tuple(dict.fromkeys(p.module or p.name for p in frozen))
    head = weights[-1].module or weights[-1].name
    yield Finding(
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


def _only_vectors(evidence: Evidence) -> Iterator[Finding]:
    """A phase that does not learn, whose optimizer holds biases and gains only, beside frozen weights."""
    frozen = [p for p in evidence.parameters if not p.requires_grad and len(p.shape) >= 2]
    for index, learning in evidence.learning_by_optimizer.items():
        held = [p for p in evidence.parameters if p.optimizer == index and p.requires_grad]
        if not frozen or not held or learning.works is not False or any(len(p.shape) >= 2 for p in held):
            continue
        modules = tuple(dict.fromkeys(p.module or p.name for p in frozen))
        names = listed([p.name for p in held])
        yield Finding(
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
        return
