"""Amazon SageMaker Debugger's built-in rules for deep learning, at their documented defaults.

Each rule looks at the tensors that were saved every so many steps.  The rules run beside each other, so the first
symptom is the one of the earliest step.

Left out, because they need validation losses, class counts or images: Overfit, Overtraining, ClassImbalance, Confusion,
CheckInputImages, SimilarAcrossRuns, NLPSequenceRatio; TensorVariance has no default.

Approximated, each time so that a symptom which the record does not settle is only possible:
- mean |g| lies between bounds; SaturatedActivation: see View.saturated;
- PoorWeightInitialization: variance of ReLU inputs by their mean square, the 5th to 95th percentile of the gradients
  by the exponent histogram as if they were symmetric, and only together with a loss that does not fall: on its own
  the second would fire on nearly every healthy network;
- DeadRelu: a unit that was active for nobody in the batch; one active in less than 1% of it is possible only;
- UnchangedTensor: np.allclose over weights, by norms;
- LossNotDecreasing: means over the steps between two saves, since the loss of one batch hardly ever falls by plan.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from gradclinic.diagnose import Evidence

from .symptom import Symptom
from .view import View
from .weights import poor_initialization, unchanged, update_ratio

#: VanishingGradient: mean |g|.
VANISHED = 1e-7
#: SaturatedActivation: inputs of tanh; and of sigmoid, the nearer of its two limits (-23, 16.99999).
TANH, SIGMOID = 9.4999, 16.99999
#: DeadRelu: share of a layer's units that are inactive.
LAYER = 0.5
#: With so many zeros in all, half of the units may be active in less than 1% and the others half of the time.
PERHAPS_DEAD = 0.745
#: LossNotDecreasing: the loss must fall by so large a share between saves.
FALL = 1e-3

#: What each rule's documentation says is wrong or to be changed, generously; most name no cause at all.
CAUSES = {
    "VanishingGradient": "saturating_activation weight_scale_small missing_shortcut recurrent_contraction",
    "ExplodingTensor": "learning_rate_high weight_scale_large unbounded_activation recurrent_expansion input_scale "
    "precision_overflow",
    "SaturatedActivation": "saturating_activation weight_scale_large input_scale",
    "DeadRelu": "learning_rate_high weight_scale_large weight_scale_small input_scale symmetric_init",
    "LossNotDecreasing": "learning_rate_low learning_rate_high",
    "AllZero": "detached_graph frozen_parameter weight_scale_small symmetric_init learning_rate_high",
}


def check(evidence: Evidence, epochs: int) -> Sequence[Symptom]:
    """All rules that fire, the earliest first; ``epochs`` is how often tensors are saved in the run."""
    view = View(evidence, epochs)
    found = [*_gradients(view), *_exploding(view), *_activations(view), *_losses(view)]
    found += [*poor_initialization(view), *update_ratio(view), *unchanged(view)]
    return sorted(found, key=lambda symptom: symptom.step or 0)


def _named(rule: str, step: int, certain: bool = True) -> Symptom:
    return Symptom(rule, step, frozenset(CAUSES[rule].split()), certain)


def _gradients(view: View) -> Iterator[Symptom]:
    """VanishingGradient and AllZero over all saved gradients."""
    for step in view.ends:
        assert step.gradients is not None
        rows = view.rows(step, weights_only=False)
        if any(step.gradients[row]["zeros"] == step.gradients[row]["count"] for row in rows):
            yield _named("AllZero", step.step)
        means = [view.mean_magnitude(step, row) for row in rows]
        if any(low < VANISHED for low, _ in means):
            yield _named("VanishingGradient", step.step, any(high < VANISHED for _, high in means))


def _exploding(view: View) -> Iterator[Symptom]:
    """ExplodingTensor: nan or inf in a loss or a gradient, at whatever step."""
    for step, bad in zip(view.evidence.taken, view.evidence.non_finite, strict=True):
        if bad.any() or (step.loss is not None and not np.isfinite(step.loss)):
            yield _named("ExplodingTensor", step.step)
            return


def _activations(view: View) -> Iterator[Symptom]:
    """DeadRelu and SaturatedActivation."""
    for epoch in view.epochs:
        step = epoch[-1]
        for found in view.activities(step.tick):
            if found.op == "Relu":
                certain = found.dead_units > LAYER * found.units
                if certain or found.zero_fraction >= PERHAPS_DEAD:
                    yield _named("DeadRelu", step.step, certain)
            elif found.op in ("Sigmoid", "Tanh"):
                limit = TANH if found.op == "Tanh" else SIGMOID
                if found.saturated_units > LAYER * found.units and view.saturated(found, limit):
                    yield _named("SaturatedActivation", step.step, certain=False)


def _losses(view: View) -> Iterator[Symptom]:
    """LossNotDecreasing."""
    losses = view.losses
    for index in range(1, len(losses)):
        before, now = losses[index - 1], losses[index]
        if np.isfinite(before) and np.isfinite(now) and before - now < FALL * abs(before):
            yield _named("LossNotDecreasing", view.epochs[index][-1].step)
