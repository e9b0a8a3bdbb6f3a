"""Identifiers in plain words, for the headline.  Identifiers of other packages are shown as they are."""

from __future__ import annotations

from typing import Final

#: What is seen, as a subject.
SEEN: Final[dict[str, str]] = {
    "vanishing_gradient": "the gradient vanishes",
    "exploding_gradient": "the gradient explodes",
    "non_finite": "values are no longer finite",
    "zero_gradient": "the gradient is exactly zero",
    "dead_units": "units are dead",
    "saturated_units": "units are saturated",
    "rank_collapse": "different inputs become the same",
    "stalled_update": "the weights hardly move",
    "divergence": "the loss diverges",
    "oscillation": "the loss oscillates",
    "loss_spike": "the loss spikes",
    "plateau": "the loss does not fall",
    "disconnected_parameter": "weights get no gradient",
    "wrong_objective": "the loss is not what was meant",
    "wrong_gradient": "the gradient is wrong",
    "initial_scale": "something starts out of scale",
    "precision_headroom": "values lie at the end of their number format",
    "converged": "it has converged",
}

#: Why, after "because".
WHY: Final[dict[str, str]] = {
    "saturating_activation": "the activation saturates",
    "unbounded_activation": "the activation grows without bound",
    "weight_scale_small": "the initial weights are too small",
    "weight_scale_large": "the initial weights are too large",
    "symmetric_init": "the initial weights are all the same",
    "missing_shortcut": "so many layers need shortcuts",
    "normalization_depth": "normalisation makes gradients grow with depth",
    "normalization_placement": "normalisation stands in the wrong place",
    "recurrent_contraction": "each time step shrinks it",
    "recurrent_expansion": "each time step makes it grow",
    "learning_rate_high": "the learning rate is too high",
    "learning_rate_low": "the learning rate is too low",
    "optimizer_epsilon": "the optimizer's eps is larger than the gradients",
    "weight_decay_high": "the weight decay is too strong",
    "input_scale": "the inputs are not scaled",
    "target_scale": "the targets are not scaled",
    "loss_reduction": "the loss is a sum and not a mean",
    "loss_mismatch": "the loss does not fit the task",
    "loss_broadcast": "the shapes of prediction and target do not match",
    "output_activation": "the output activation does not fit the loss",
    "empty_target": "no target of the batch counts",
    "gradient_ascent": "the steps go uphill",
    "detached_graph": "the graph is cut",
    "frozen_parameter": "no optimizer steps them",
    "precision_overflow": "the number format overflows",
    "precision_underflow": "the number format underflows",
    "precision_rounding": "updates are rounded away",
    "invalid_operation": "an operation has no finite result there",
    "clip_before_unscale": "gradients were clipped before they were unscaled",
    "optimizer_order": "the calls of the training loop are in the wrong order",
    "wrong_backward": "a hand-written backward is wrong",
    "convergence": "there is little left to learn",
    "unknown": "of something that its gradients do not show",
}
