"""Which remedies answer which cause, the most specific first; the others are tried after them."""

from __future__ import annotations

from collections.abc import Iterable

from gradclinic.schema.finding import Finding

BY_CAUSE: dict[str, tuple[str, ...]] = {
    "saturating_activation": ("activation_swap", "normalization", "shortcuts", "xavier_init", "orthogonal_init"),
    "unbounded_activation": ("activation_swap", "normalization", "gradient_clipping"),
    "weight_scale_small": ("kaiming_init", "xavier_init", "orthogonal_init", "lsuv_init", "normalization"),
    "weight_scale_large": ("kaiming_init", "xavier_init", "orthogonal_init", "lsuv_init", "normalization"),
    "symmetric_init": ("kaiming_init", "xavier_init"),
    "missing_shortcut": ("shortcuts", "normalization", "orthogonal_init", "kaiming_init"),
    "normalization_depth": ("shortcuts", "residual_scaling", "gradient_clipping", "warmup"),
    "normalization_placement": ("pre_norm", "warmup", "residual_scaling"),
    "recurrent_contraction": ("orthogonal_recurrence", "forget_bias"),
    "recurrent_expansion": ("orthogonal_recurrence", "gradient_clipping"),
    "learning_rate_high": ("learning_rate", "gradient_clipping", "warmup", "optimizer"),
    "learning_rate_low": ("learning_rate", "optimizer"),
    "optimizer_epsilon": ("epsilon", "optimizer"),
    "weight_decay_high": ("weight_decay",),
    "input_scale": ("input_standardization", "normalization", "optimizer"),
    "target_scale": ("target_standardization", "optimizer", "learning_rate"),
    "loss_reduction": ("learning_rate", "optimizer", "gradient_clipping"),
    "output_activation": ("remove_output_activation",),
    "gradient_ascent": ("descend",),
    "frozen_parameter": ("unfreeze",),
    "precision_overflow": ("raise_precision", "gradient_clipping"),
    "precision_underflow": ("raise_precision", "loss_scaling"),
    "precision_rounding": ("raise_precision", "stochastic_rounding"),
}


def indicated(findings: Iterable[Finding]) -> tuple[str, ...]:
    """Identifiers of the remedies that the findings' causes ask for, the origin's first, each once."""
    found = [remedy for finding in findings for remedy in BY_CAUSE.get(finding.cause, ())]
    return tuple(dict.fromkeys(found))
