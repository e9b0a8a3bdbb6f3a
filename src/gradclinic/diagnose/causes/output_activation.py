"""An activation between the model's output and a loss that applies, or contradicts, it: part of ``wrong_objective``."""

from __future__ import annotations

from gradclinic.schema.finding import Finding, Severity
from gradclinic.schema.ledger import Entry

from ..conditions.common import outcome_sentence, severity
from ..evidence import Evidence

#: Operations that only change the shape between an output and its loss.
_SHAPES = {"View", "UnsafeView", "ReshapeAlias", "Squeeze", "Unsqueeze", "Transpose", "T", "Permute", "Select", "Clone"}
#: loss operation -> activation before it -> (certain, what happens, what to do).  "Certain": it is never meant.
_CLASHES: dict[str, dict[str, tuple[bool, str, str]]] = {
    "LogSoftmax": {
        "Softmax": (
            True,
            "the loss applies softmax itself, so that it is applied twice: the logits it sees lie between 0 and 1, no"
            " prediction can become certain and the gradient is damped",
            "Give the loss the logits: remove the softmax from the model's output.",
        ),
        "Sigmoid": (
            False,
            "the loss takes logits of any size, but a sigmoid keeps them between 0 and 1, so that no prediction can"
            " become certain",
            "Give the loss the logits: remove the sigmoid from the model's output.",
        ),
        "Relu": (
            False,
            "the loss takes logits of any sign, but a ReLU sets the negative ones to 0 and stops their gradient",
            "Remove the ReLU from the model's output.",
        ),
    },
    "BinaryCrossEntropyWithLogits": {
        "Sigmoid": (
            True,
            "the loss applies the sigmoid itself, so that it is applied twice: the probability it sees lies between"
            " 0.5 and 0.73",
            "Give the loss the logits: remove the sigmoid from the model's output.",
        ),
        "Softmax": (
            True,
            "the loss applies a sigmoid itself: the probability it sees lies between 0.5 and 0.73",
            "Give the loss the logits: remove the softmax from the model's output.",
        ),
        "Relu": (
            False,
            "the loss takes logits of any sign, but a ReLU sets the negative ones to 0 and stops their gradient",
            "Remove the ReLU from the model's output.",
        ),
    },
}


def output_activation(evidence: Evidence) -> Finding | None:
    """The activation that the loss is fed by, where the two do not belong together."""
    for row in evidence.ledgers:
        by_number = {entry.sequence: entry for entry in row.ledger.entries}
        for entry in row.ledger.entries:
            clashes = _CLASHES.get(entry.op)
            before = _before(entry, by_number) if clashes and entry.kind == "loss" else None
            if before is None or before.op not in (clashes or {}):
                continue
            certain, because, action = (clashes or {})[before.op]
            grave: Severity = "critical" if certain else severity(evidence)
            numbers = {"output_activation": before.op, "loss_operation": entry.op} | evidence.learning.numbers()
            seen = f"The output passes through {before.op.lower()} before {entry.op}: {because}."
            return Finding(
                condition="wrong_objective",
                cause="output_activation",
                where=(before.module or before.op,),
                step=evidence.step_of(row.tick),
                severity=grave,
                confidence=0.95 if certain else 0.8,
                evidence=numbers,
                explanation=f"{seen} {outcome_sentence(evidence)}",
                action=action,
                remedies=("remove_output_activation",),
                source="softmax(softmax(z)) lies between 1/(K-1+e) and e/(K-1+e)",
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
