"""An activation between the model's output and a loss that applies, or contradicts, it: part of ``wrong_objective``."""

from __future__ import annotations

from gradclinic.schema.finding import Finding
from gradclinic.schema.ledger import Entry, Objective

from ..conditions.common import outcome_sentence
from ..evidence import Evidence

#: Operations that only change the shape between an output and its loss.
_SHAPES = {"View", "UnsafeView", "ReshapeAlias", "Squeeze", "Unsqueeze", "Transpose", "T", "Permute", "Select", "Clone"}
#: loss operation -> activation before it -> (what happens, what to do).  None of them is ever meant.
_LOGITS_ABOVE_0 = (
    "the loss takes logits of any sign, but a ReLU sets the negative ones to 0 and stops their gradient",
    "Remove the ReLU from the model's output.",
)
_CLASHES: dict[str, dict[str, tuple[str, str]]] = {
    "LogSoftmax": {
        "Softmax": (
            "the loss applies softmax itself, so that it is applied twice: the logits it sees lie between 0 and 1, no"
            " prediction can become certain and the gradient is damped",
            "Give the loss the logits: remove the softmax from the model's output.",
        ),
        "Sigmoid": (
            "the loss takes logits of any size, but a sigmoid keeps them between 0 and 1, so that no prediction can"
            " become certain",
            "Give the loss the logits: remove the sigmoid from the model's output.",
        ),
        "Relu": _LOGITS_ABOVE_0,
    },
    "BinaryCrossEntropyWithLogits": {
        "Sigmoid": (
            "the loss applies the sigmoid itself, so that it is applied twice: the probability it sees lies between"
            " 0.5 and 0.73",
            "Give the loss the logits: remove the sigmoid from the model's output.",
        ),
        "Softmax": (
            "the loss applies a sigmoid itself: the probability it sees lies between 0.5 and 0.73",
            "Give the loss the logits: remove the softmax from the model's output.",
        ),
        "Relu": _LOGITS_ABOVE_0,
    },
}
#: Errors of a prediction against a number, by their names in the account.
_ERRORS = ("MseLoss", "L1Loss", "HuberLoss", "SmoothL1Loss", "Sub", "Rsub")
#: Activations whose output never exceeds 1.
_WITHIN_ONE = ("Tanh", "Sigmoid", "Hardtanh", "Hardsigmoid", "Softmax")


def output_activation(evidence: Evidence) -> Finding | None:
    """The activation that the loss is fed by, where the two do not belong together."""
    for row in evidence.ledgers:
        by_number = {entry.sequence: entry for entry in row.ledger.entries}
        for entry in row.ledger.entries:
            before = _before(entry, by_number) if entry.kind == "loss" else None
            clash = _clash(entry, before, row.ledger.objective) if before is not None else None
            if before is None or clash is None:
                continue
            because, action = clash
            numbers = {"output_activation": before.op, "loss_operation": entry.op} | evidence.learning.numbers()
            seen = f"The output passes through {before.op.lower()} before {entry.op}: {because}."
            return Finding(
                condition="wrong_objective",
                cause="output_activation",
                where=(before.module or before.op,),
                step=evidence.step_of(row.tick),
                severity="critical",
                confidence=0.95,
                evidence=numbers,
                explanation=f"{seen} {outcome_sentence(evidence)}",
                action=action,
                remedies=("remove_output_activation",),
                source="the range of an activation against the range that a loss takes",
            )
    return None


def _clash(loss: Entry, before: Entry, objective: Objective | None) -> tuple[str, str] | None:
    known = _CLASHES.get(loss.op, {}).get(before.op)
    if known is not None:
        return known
    if before.op == "Softmax" and before.shape and before.shape[-1] == 1 and len(before.shape) < 3:
        return (
            "the softmax of a single value is always 1, so that the output does not depend on anything",
            "Use a sigmoid for a single output, or two outputs with cross_entropy.",
        )
    if objective is None or loss.op not in _ERRORS:
        return None
    # An RMS above 1 means that some targets are beyond 1, and a mean below 0 that some are negative.
    if before.op in _WITHIN_ONE and (objective.target_rms or 0.0) > 1:
        return (
            f"it never exceeds 1, and the targets have an RMS of {objective.target_rms:.3g}",
            f"Remove the {before.op.lower()} from the model's output, or scale the targets into its range.",
        )
    if before.op in ("Relu", "Sigmoid", "Softplus") and (objective.target_mean or 0.0) < 0:
        return (
            f"it is never negative, and the targets have a mean of {objective.target_mean:.3g}",
            f"Remove the {before.op.lower()} from the model's output.",
        )
    return None


def _before(entry: Entry, by_number: dict[int, Entry]) -> Entry | None:
    """The operation that gave this one its input, shapes left out."""
    current: Entry | None = entry
    while current is not None and len(current.inputs) == 1:
        current = by_number.get(current.inputs[0])
        if current is not None and current.op not in _SHAPES:
            return current
    return None
