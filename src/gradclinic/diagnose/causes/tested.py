"""A cause that nothing in the record names, found by the change that helped on a copy."""

from __future__ import annotations

from gradclinic.schema.finding import CauseId

from ..evidence import Evidence
from ..interventions import Examined
from .cause import Cause

#: What to do, by the change that helped.
_ACTIONS: dict[str, tuple[CauseId, str, tuple[str, ...]]] = {
    "saturating_activation": (
        "saturating_activation",
        "Replace the saturating activations by ReLU and initialise with kaiming_normal_.",
        ("relu_kaiming",),
    ),
    "unbounded_activation": (
        "unbounded_activation",
        "Replace the unbounded activations by ReLU.",
        ("relu_kaiming",),
    ),
    "input_scale": (
        "input_scale",
        "Standardise the inputs (subtract the mean, divide by the standard deviation) before training.",
        ("standardise_inputs",),
    ),
    "target_scale": (
        "target_scale",
        "Standardise the targets (subtract the mean, divide by the standard deviation) before training.",
        ("standardise_targets",),
    ),
    "output_activation": (
        "output_activation",
        "Take the activation off the output, or use the loss that belongs to it.",
        ("remove_output_activation",),
    ),
    "optimizer_epsilon": ("optimizer_epsilon", "Set the optimizer's eps to 1e-8.", ("default_epsilon",)),
    "weight_decay_high": ("weight_decay_high", "Lower the weight decay by a factor of ten.", ("lower_weight_decay",)),
    "precision": ("precision_underflow", "Use bfloat16 or float32 for this part.", ("raise_precision",)),
    "missing_shortcut": ("missing_shortcut", "Add a shortcut around every two layers.", ("residual",)),
    "normalization": (
        "normalization_placement",
        "Move the normalisation to the beginning of each branch, or leave it out.",
        ("pre_norm",),
    ),
}
#: Changes that take one thing away come before those that add or rebuild: of equals, the smaller is the cause.
_ORDER = (
    "output_activation", "optimizer_epsilon", "weight_decay_high", "precision", "target_scale", "input_scale",
    "weight_scale", "saturating_activation", "unbounded_activation", "normalization", "missing_shortcut",
)  # fmt: skip


def found_by_test(evidence: Evidence) -> Cause | None:
    """The smallest change that helped; None where none did, or none was tried."""
    for change in _ORDER:
        tested = evidence.interventions.changed(change)
        if tested is not None and tested.helps:
            return _named(change, tested)
    return None


def _named(change: str, tested: Examined) -> Cause:
    numbers = dict(tested.data.get("numbers", {})) | {"found_by": "test"}
    cause, action, remedies = _ACTIONS.get(change, ("unknown", "", ()))
    if change == "weight_scale":
        small = numbers.get("last_output_rms", 1.0) < 1
        cause = "weight_scale_small" if small else "weight_scale_large"
        action = "Initialise the weights so that each layer's output has the scale of its input (kaiming_normal_)."
        remedies = ("critical_init",)
    return Cause(
        cause,
        f"nothing in the record names the cause, but on a copy {tested.data['what']} made it train",
        action,
        tuple(tested.data["where"]) or ("model",),
        numbers,
        remedies,
        "one thing changed, the same batch and optimizer",
        0.6,
    )
