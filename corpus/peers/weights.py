"""SageMaker Debugger's rules about weights: PoorWeightInitialization, WeightUpdateRatio, UnchangedTensor."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradclinic.schema.vitals import EXPONENT_BIAS, EXPONENT_BINS

from .symptom import Symptom
from .view import View

#: PoorWeightInitialization: ratio of the largest to the smallest variance of ReLU inputs, range of the gradients
#: between their 5th and 95th percentile, and the first steps in which it looks.
VARIANCES, RANGE, STEPS = 10.0, 1e-3, 10
#: WeightUpdateRatio.
LARGE, SMALL = 10.0, 1e-8
#: UnchangedTensor: np.allclose's tolerances, and how many saves in a row.
RELATIVE, ABSOLUTE, SAVES = 1e-5, 1e-8, 3

INITIAL = frozenset({"weight_scale_small", "weight_scale_large", "symmetric_init"})
TOO_LARGE = frozenset({"learning_rate_high"})
TOO_SMALL = frozenset({"learning_rate_low", "optimizer_epsilon", "precision_rounding"})
STILL = frozenset({"learning_rate_low", "frozen_parameter", "detached_graph", "precision_rounding", "optimizer_order"})


def poor_initialization(view: View) -> Iterator[Symptom]:
    """Unequal variances or narrow gradients in the first steps, while the loss does not fall."""
    early = [step.loss for step in view.evidence.taken if step.step < STEPS and step.loss is not None]
    if len(early) < 2 or not all(np.isfinite(early)) or min(early[1:]) < early[0]:
        return
    for row in view.evidence.ledgers:
        if view.step_of(row.tick) < STEPS:
            relus = [found.sequence for found in row.ledger.activities if found.op == "Relu"]
            squares = [view.input_rms[row.tick, at] ** 2 for at in relus if (row.tick, at) in view.input_rms]
            if len(squares) > 1 and max(squares) > VARIANCES * min(squares):
                yield Symptom("PoorWeightInitialization", view.step_of(row.tick), INITIAL)
                return
    for counts in view.evidence.record.exponents[:1]:
        weights = [counts.counts[row] for row in view.evidence.matrices.tolist() if row < len(counts.counts)]
        widths = [2 * _quantile(bins, 0.9) for bins in weights if bins.sum()]
        if widths and min(widths) < RANGE:
            yield Symptom("PoorWeightInitialization", view.step_of(counts.tick), INITIAL)


def _quantile(bins: np.ndarray[tuple[int], np.dtype[np.int64]], share: float) -> float:
    """The lower edge of the bin that holds a quantile of the magnitudes."""
    edges = np.exp2(np.arange(EXPONENT_BINS, dtype=np.float64) - EXPONENT_BIAS)
    return float(edges[int(np.searchsorted(np.cumsum(bins), share * bins.sum()))])


def update_ratio(view: View) -> Iterator[Symptom]:
    """A weight that moved by more than ten times its size, or by less than 1e-8 of it, when it was saved.

    A weight that starts at 0 is left out; the rule's own guard against dividing by 0 makes it fire on every such one.
    """
    ticks = view.evidence.update_ticks
    for epoch in view.epochs:
        looks = np.flatnonzero((ticks >= epoch[0].tick) & (ticks <= epoch[-1].tick))
        row = view.evidence.relative_updates[looks[-1:]][:, view.evidence.matrices]
        if (row > LARGE).any():
            yield Symptom("WeightUpdateRatio", epoch[-1].step, TOO_LARGE)
        if (row < SMALL).any():
            yield Symptom("WeightUpdateRatio", epoch[-1].step, TOO_SMALL)


def unchanged(view: View) -> Iterator[Symptom]:
    """A weight that is np.allclose to itself over three recorded steps: certain where it did not move at all."""
    evidence = view.evidence
    counts = {p.index: float(np.prod(p.shape)) for p in evidence.parameters}
    for row in evidence.matrices.tolist():
        moved, size = evidence.relative_updates[:, row], evidence.weight_norms[:, row]
        with np.errstate(divide="ignore", invalid="ignore"):
            close = moved <= RELATIVE + ABSOLUTE * counts[row] ** 0.5 / size
        for index in range(SAVES - 1, len(moved)):
            if close[index - SAVES + 1 : index + 1].all():
                still = bool((moved[index - SAVES + 1 : index + 1] == 0).all())
                yield Symptom("UnchangedTensor", view.step_of(int(evidence.update_ticks[index])), STILL, still)
                break
