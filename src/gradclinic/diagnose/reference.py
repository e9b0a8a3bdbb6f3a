"""The loss of the best constant prediction, and whether it can be compared with the recorded loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log, prod, sqrt

import numpy as np

from gradclinic.schema.ledger import Objective

#: Fewest samples in a batch from which its label entropy or target variance means anything.
SMALLEST_BATCH = 8
#: Least margin: what is left of the bias of a batch's entropy after the first-order (Miller-Madow) correction.
FLOOR = 0.02

#: Losses that cannot be negative, by autograd's names: cross-entropies of labels, squared and absolute errors.
_NON_NEGATIVE = (
    "nllloss",
    "mseloss",
    "l1loss",
    "smoothl1loss",
    "huberloss",
    "binarycrossentropy",
    "softmargin",
    "crossentropy",
)


@dataclass(frozen=True, slots=True)
class Reference:
    """A loss that a constant prediction reaches, and how far from it is still the same."""

    loss: float
    margin: float
    batch: int


def reference_loss(
    objectives: Sequence[tuple[int, Objective]], first: float, backwards: Sequence[int] = ()
) -> Reference | None:
    """The best constant prediction's loss in the units of the recorded loss; None where it cannot be compared.

    A recorded loss that is a sum over the batch, has other terms or a factor before it is not comparable: then
    the first loss is not what predictions of that size give.
    """
    known = [o for _, o in objectives if o.constant_loss is not None and np.isfinite(o.constant_loss)]
    known = [o for o in known if o.broadcast is None]
    if not known:
        return None
    batch = int(np.median([samples(o) for o in known]))
    if batch < SMALLEST_BATCH:
        return None
    corrected = [unbiased(o) for o in known]
    loss = float(np.mean(corrected))
    factor = _factor(known[0], loss, first, backwards)
    if factor is None or loss <= 0:
        return None
    spread = float(np.std(corrected) / sqrt(len(corrected))) if len(corrected) >= 3 else loss * sqrt(2 / batch) / 2
    correction = abs(loss - float(np.mean([o.constant_loss for o in known])))
    margin = max(FLOOR * loss, 2 * spread, correction / 2)
    return Reference(loss * factor, margin * factor, batch)


def samples(objective: Objective) -> int:
    """How many labels or targets the batch holds."""
    shape = objective.target_shape or (objective.prediction_shape or ())[:1]
    if objective.classes is None and objective.prediction_shape is not None:
        shape = objective.prediction_shape
    return prod(shape) if shape else 0


def summed(objective: Objective) -> bool:
    """Whether the loss is a sum over the batch.

    A mean entropy never exceeds log K, nor a mean deviation what the targets' own size gives; a sum soon does.
    """
    constant = objective.constant_loss or 0.0
    if objective.classes:
        return constant > 1.01 * log(max(objective.classes, 2))
    if objective.target_rms is None:
        return False
    if "binary" in objective.op.lower():
        return constant > 1.01 * log(2)
    return constant > 1.01 * (objective.target_rms**2 if _squared(objective) else objective.target_rms)


def _squared(objective: Objective) -> bool:
    return "mse" in objective.op.lower() or "pow" in objective.op.lower()


def unbiased(objective: Objective) -> float:
    """A batch's entropy is too low by (K-1)/2n (Miller 1955), its variance by 1/n; entropy stays below log K."""
    constant = objective.constant_loss or 0.0
    count = max(samples(objective), 2)
    if objective.classes:
        unit = count if summed(objective) else 1
        return min(log(max(objective.classes, 2)), constant / unit + (objective.classes - 1) / (2 * count)) * unit
    return constant * count / (count - 1)


def _factor(objective: Objective, constant: float, first: float, backwards: Sequence[int]) -> float | None:
    """1 where the first loss is what predictions of the seen size give; 1/k under accumulation; else None."""
    parts = int(np.median(backwards)) if len(backwards) else 1
    for factor in (1.0, 1.0 / max(parts, 1)):
        if _plausible(objective, constant, first / factor):
            return factor
    return None


def _plausible(objective: Objective, constant: float, first: float) -> bool:
    size = objective.prediction_rms
    if size is None:
        return False
    unit = samples(objective) if summed(objective) else 1
    mean = first / max(unit, 1)
    if objective.classes is not None or "binary" in objective.op.lower():
        # Logits of RMS r lower a cross-entropy by at most about r (two classes: r/2, the slope of softplus at 0), and
        # wrong ones raise it by their largest differences, a few times r.
        top = log(max(objective.classes or 2, 2))
        if "nllloss" in objective.op.lower():  # its input are log-probabilities: -log K and the logits' spread
            size = sqrt(max(size**2 - top**2, 0.0))
        return 0.9 * top - size <= mean <= 1.1 * top + 4 * size and mean > 0
    if objective.target_rms is None:
        return abs(first - constant) <= 0.5 * constant
    # A mean square (or absolute) error lies between those of aligned and opposed predictions of that size.
    low, high = abs(size - objective.target_rms), size + objective.target_rms
    return bool(
        (low**2 if _squared(objective) else 0.0) * 0.5 <= mean <= 2 * (high**2 if _squared(objective) else high)
    )


def cannot_be_negative(op: str) -> bool:
    """Whether a loss, by autograd's name, is an error."""
    name = op.lower().replace("_", "")
    return any(key in name for key in _NON_NEGATIVE)


def is_error(objective: Objective) -> bool:
    """Whether the loss is such an error, and not its negative."""
    return cannot_be_negative(objective.op) and objective.sign != -1
