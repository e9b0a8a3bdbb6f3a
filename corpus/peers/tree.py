"""DeepDiagnosis' decision tree: from a symptom to what to change."""

from __future__ import annotations

from collections.abc import Sequence

from gradclinic.schema.record import Step

from .view import View

#: Our identifiers for its messages, generously: "poor weight", "normalize the data", "learning rate", "change
#: optimizer", "change the activation function", "change the loss function", "add or delete a layer".
WEIGHTS = frozenset({"weight_scale_small", "weight_scale_large", "symmetric_init"})
DATA = frozenset({"input_scale", "target_scale"})
RATE = frozenset({"learning_rate_high", "learning_rate_low"})
OPTIMIZER = RATE | {"optimizer_epsilon"}
ACTIVATION = frozenset({"saturating_activation", "unbounded_activation", "output_activation"})
LOSS = frozenset({"loss_mismatch", "loss_reduction"})
LAYERS = frozenset({"missing_shortcut", "saturating_activation", "recurrent_contraction"})

#: Ordinary variances of a weight, and ordinary lr·‖g‖/‖w‖.
VARIANCE, RATES = (1e-5, 10.0), (1e-5, 0.1)


def advice(view: View, step: Step, questions: Sequence[str], otherwise: frozenset[str]) -> frozenset[str]:
    """All causes that the tree may name for a symptom at ``step``, its questions in the tool's order.

    A question whose answer is certainly yes ends the walk; one whose answer is open is answered both ways.
    """
    answers = {"weights": _poor_weights, "data": _wide_data, "rate": _odd_rate}
    causes = {"weights": WEIGHTS, "data": DATA, "rate": RATE}
    found: frozenset[str] = frozenset()
    for question in questions:
        answer = answers[question](view, step)
        if answer is not False:
            found |= causes[question]
        if answer is True:
            return found
    return found | otherwise


def _poor_weights(view: View, step: Step) -> bool | None:
    """Whether a weight's variance is out of range.  It is at most the mean square, so only too small is certain."""
    rms = [view.weight_norm(row, step.tick) / _count(view, row) ** 0.5 for row in view.evidence.matrices.tolist()]
    if any(value**2 < VARIANCE[0] for value in rms):
        return True
    return None if any(value**2 > VARIANCE[1] for value in rms) else False


def _wide_data(view: View, step: Step) -> bool | None:
    """Whether an input lies outside ±1: certain from a root mean square above 1, open below."""
    entries = view.evidence.ledgers[0].ledger.entries if view.evidence.ledgers else ()
    first = next((entry for entry in entries if entry.kind == "weight" and entry.forward_in is not None), None)
    return True if first is not None and (first.forward_in or 0.0) > 1 else None


def _odd_rate(view: View, step: Step) -> bool | None:
    """Whether lr·‖g‖/‖w‖ is out of range in a layer; open where the script has no learning rate."""
    if step.gradients is None or not step.lr:
        return None
    rows = view.rows(step, weights_only=True)
    rates = [step.lr[0] * view.gradient_norm(step, row) / max(view.weight_norm(row, step.tick), 1e-30) for row in rows]
    return any(rate < RATES[0] or rate > RATES[1] for rate in rates)


def _count(view: View, row: int) -> int:
    shape = next(p.shape for p in view.evidence.parameters if p.index == row)
    count = 1
    for size in shape:
        count *= size
    return max(1, count)
