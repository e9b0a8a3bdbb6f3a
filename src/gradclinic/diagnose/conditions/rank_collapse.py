"""Different inputs, or different units, have become the same."""

from __future__ import annotations

import numpy as np

from gradclinic.schema.finding import Finding, Healthy, NotEnoughData, Outcome
from gradclinic.schema.ledger import Ledger

from ..causes.cause import Cause, listed
from ..condition import Condition, Threshold
from ..evidence import Evidence
from .common import found, outcome_sentence

#: Representations of different inputs whose mean cosine exceeds this differ by less than a twentieth of their size
#: (√(2(1-c)) = 0.045), less than the noise of training; and a stack that leaves them apart stays far from it.
SAME = Threshold("mean_cosine", 0.999, "√(2(1-c)): the inputs differ by less than a twentieth of the representation")
#: The inputs themselves must have been told apart before: images and text start with cosines up to 0.9.
APART = Threshold("mean_cosine_before", 0.95, "the first layers still tell the inputs apart")


#: Copies are told by their gradients' statistics, which agree to the last bit.
COPY_STEPS = Threshold("equal_steps", 5, "sums and squares of different gradients do not agree to the bit five times")


def check(evidence: Evidence) -> Outcome | list[Outcome]:
    """Looks at the weights' rows, and at the cosines between the inputs' representations, layer by layer."""
    twins = _twins(evidence) or _copies(evidence)
    if twins is not None:
        return twins
    if evidence.learning.well:
        return Healthy("rank_collapse", evidence.learning.reason)
    # Collapse that comes later is what too large steps, dead units or decay did: those are the origin.
    for row in evidence.ledgers[:1]:
        known = [a for a in sorted(row.ledger.activities, key=lambda a: a.sequence) if a.correlation is not None]
        if len(known) < 2:
            continue
        first, last = known[0], known[-1]
        if (first.correlation or 0.0) < APART.value and (last.correlation or 0.0) > SAME.value:
            cause = _cause(row.ledger, last.module)
            where = next(a for a in known if (a.correlation or 0.0) > SAME.value)
            numbers = {
                "mean_cosine_first": first.correlation,
                "mean_cosine_last": last.correlation,
                "since": where.module,
            }
            seen = f"From `{where.module or where.op}` on, the representations of different inputs are the same (cosine"
            seen += f" {last.correlation:.4f}, {first.correlation:.2f} in the first layer)"
            return found("rank_collapse", cause, evidence, seen=seen, step=evidence.step_of(row.tick), numbers=numbers)
    if not evidence.activities:
        return NotEnoughData("rank_collapse", "a ledger with activations")
    return Healthy("rank_collapse", "the layers tell different inputs apart")


def _twins(evidence: Evidence) -> Finding | None:
    """Weights whose output units are all the same from the first step to the last: a layer as wide as one unit."""
    rows = [row.same_units[: evidence.width] for row in evidence.record.updates if len(row.same_units)]
    rows = [row for row in rows if len(row) == evidence.width]
    if len(rows) < 2:
        return None
    both = (np.array(rows) == 1.0).all(axis=0)
    # Equal output weights alone are broken up by different inputs and errors; a hidden layer's never are.
    hidden = [int(index) for index in evidence.matrices if both[index]]
    if not hidden:
        return None
    names = tuple(dict.fromkeys(evidence.module_of(index) for index in hidden))
    seen = (
        f"All units of {listed(names)} have the same weights, from the first step to the last: they compute the same,"
        " get the same gradient and never part, so that the layer is as wide as one unit."
    )
    return Finding(
        condition="rank_collapse",
        cause="symmetric_init",
        where=names[:8],
        step=0,
        severity="critical",
        confidence=0.95,
        evidence={"layers_of_equal_units": len(hidden), "looks": len(rows)} | evidence.learning.numbers(),
        explanation=f"{seen} {outcome_sentence(evidence)}",
        action=f"Initialise {listed(names)} at random (kaiming_normal_, xavier_uniform_), each layer by itself.",
        remedies=("random_init",),
        source="equal units stay equal under gradient descent (Goodfellow 2016, 8.4)",
    )


def _copies(evidence: Evidence) -> Finding | None:
    """Weights that get the very same gradient at every step: copies of one layer, which never part."""
    table = evidence.gradient_statistics[: int(COPY_STEPS.value)]
    if len(table) < COPY_STEPS.value:
        return None
    groups: dict[bytes, list[int]] = {}
    for index in evidence.matrices.tolist():
        rows = table[:, index]
        shape = next(p.shape for p in evidence.parameters if p.index == index)
        # A sum that is exactly 0, or no number, says nothing of the gradient it belongs to.
        if (rows["count"] > 0).all() and (rows["total"] != 0).all() and not rows["non_finite"].any():
            groups.setdefault(repr(shape).encode() + rows.tobytes(), []).append(index)
    same = [group for group in groups.values() if len(group) > 1]
    if not same:
        return None
    names = tuple(dict.fromkeys(evidence.module_of(index) for group in same for index in group))
    seen = (
        f"{listed(names)} get the same gradient at every step, to the last bit: they are copies with equal weights that"
        " compute the same and never part, so that they are worth one of them."
    )
    return Finding(
        condition="rank_collapse",
        cause="symmetric_init",
        where=names[:8],
        step=0,
        severity="critical",
        confidence=0.95,
        evidence={"equal_weights": sum(map(len, same)), "steps": len(table)} | evidence.learning.numbers(),
        explanation=f"{seen} {outcome_sentence(evidence)}",
        action=f"Initialise {listed(names)} each by itself (reset_parameters() after deepcopy).",
        remedies=("random_init",),
        source="equal units stay equal under gradient descent (Goodfellow 2016, 8.4)",
    )


def _cause(ledger: Ledger, module: str) -> Cause:
    """Post-norm: a normalisation right after a residual sum. It keeps the mean of the tokens and shrinks the rest."""
    by_number = {entry.sequence: entry for entry in ledger.entries}
    norms = [entry for entry in ledger.entries if "Norm" in entry.op]
    after_sum = [e for e in norms if any(by_number[i].op == "Add" for i in e.inputs if i in by_number)]
    if norms and len(after_sum) > len(norms) / 2:
        return Cause(
            "normalization_placement",
            "each block normalises after its residual sum, which damps what distinguishes the inputs at every layer",
            "Normalise before each block instead (pre-norm), and once at the end.",
            tuple(dict.fromkeys(entry.module for entry in after_sum))[:8],
            {"post_norms": len(after_sum)},
            ("pre_norm",),
            "Noci 2022",
            0.75,
        )
    return Cause(
        "weight_scale_small",
        "the weights lie in the ordered phase, in which each layer brings the inputs nearer to each other",
        "Initialise at the critical scale of the activation (kaiming_normal_ for ReLU), or add shortcuts.",
        (module,),
        {},
        ("critical_init", "shortcuts"),
        "Schoenholz 2017",
        0.5,
    )


CONDITION = Condition(
    "rank_collapse", "different inputs or units that have become the same", check, (SAME, APART, COPY_STEPS)
)
