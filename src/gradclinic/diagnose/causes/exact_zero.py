"""Why a gradient is there and is exactly 0."""

from __future__ import annotations

from ..evidence import Evidence
from .cause import Cause
from .criticality import rectifies
from .revived import revived
from .step_size import explain_large_steps, too_large


def explain_zero(evidence: Evidence, modules: tuple[str, ...], step: int) -> Cause:
    """``modules`` get a gradient of 0 from ``step`` on."""
    zeros = [p for p in evidence.parameters if p.index in set(evidence.matrices.tolist()) and p.rms == 0]
    if 2 * len(zeros) > len(evidence.matrices):
        names = tuple(p.module or p.name for p in zeros)
        return Cause(
            "symmetric_init",
            f"{len(zeros)} weights start at exactly 0, so that nothing tells their units apart",
            "Initialise the weights at random, e.g. with kaiming_normal_.",
            names,
            {"weights_all_zero": len(zeros)},
            ("relu_kaiming",),
            "equal units receive equal gradients and stay equal (Goodfellow 2016, 8.4)",
            0.9,
        )
    for _, objective in evidence.objectives[:1]:
        shape = objective.prediction_shape
        if objective.classes == 1 or (objective.classes is not None and shape and len(shape) > 1 and shape[1] == 1):
            return Cause(
                "loss_mismatch",
                "the softmax of a single output is always 1, so that the loss has no slope",
                "Use two outputs, or binary_cross_entropy_with_logits.",
                (objective.op,),
                {"classes": 1},
                ("bce_with_logits",),
                "softmax of one number is 1",
                0.9,
            )
    erased = _erased(evidence) or revived(evidence) or _underflown(evidence)
    if erased is not None:
        return erased
    place = _dead_layer(evidence)
    if place is not None:
        if step > 0 and too_large(evidence):
            return explain_large_steps(evidence)
        if _is_output(evidence, place):
            return Cause(
                "output_activation",
                f"`{place}` is the model's output, which is 0 and passes no gradient where its input is negative",
                f"Remove `{place}` from the model's output.",
                (place,),
                {"dead_layer": place},
                ("remove_output_activation",),
                "the slope of ReLU is 0 for negative inputs (Lu 2019)",
                0.85,
            )
        return Cause(
            "unknown" if step > 0 else "weight_scale_large",
            f"every unit of `{place}` is 0 for the whole batch, which stops the gradient there",
            f"In `{place}`: use LeakyReLU, or initialise the layer before it with a bias of 0 and kaiming_normal_.",
            (place,),
            {"dead_layer": place},
            ("leaky_relu", "relu_kaiming"),
            "the slope of ReLU is 0 for negative inputs (Lu 2019)",
            0.6,
        )
    if any("16" in evidence.parameters[0].dtype for _ in evidence.parameters[:1]):
        raised = evidence.interventions.of("precision_overflow")
        if raised is not None and raised.helps and raised.data.get("numbers", {}).get("overflowed_calls", 0) > 0:
            return Cause(
                "precision_overflow",
                "a value in the forward pass is beyond the largest number of its format (float16: 65504), and what is"
                " divided by it becomes 0",
                "Scale the values down before they are squared or summed, or use bfloat16 or float32 there.",
                modules,
                {"dtype": evidence.parameters[0].dtype, **raised.data["numbers"]},
                ("full_precision",),
                "largest float16: 65504",
                0.8,
            )
        return Cause(
            "precision_underflow",
            "the gradients are smaller than the smallest number of their format",
            "Use a gradient scaler, or bfloat16 or float32.",
            modules,
            {"dtype": evidence.parameters[0].dtype},
            ("gradient_scaler", "full_precision"),
            "smallest float16: 6e-8",
            0.7,
        )
    return Cause(
        "unknown",
        "something between these weights and the loss has a slope of exactly 0 (rounding, argmax, a comparison, a"
        " clamp)",
        "Look between the loss and the last layer for an operation that is constant in its input.",
        modules,
        {},
        (),
        "a gradient of exactly 0 at every step is no matter of scale",
        0.4,
    )


def _dead_layer(evidence: Evidence) -> str | None:
    for (module, op, _), seen in evidence.activities.items():
        if rectifies(op) and seen[-1][1].zero_fraction == 1.0:
            return module or op
    return None


def _is_output(evidence: Evidence, place: str) -> bool:
    firsts = [seen[0][1] for (module, op, _), seen in evidence.activities.items() if (module or op) == place]
    return any(evidence.ends_model(activity) for activity in firsts)


def _erased(evidence: Evidence) -> Cause | None:
    """A normalisation that leaves nothing: the deviation from a mean over one value is 0."""
    for row in evidence.ledgers[:1]:
        for entry in row.ledger.entries:
            if entry.kind == "normalization" and entry.forward_in and entry.forward_out == 0:
                place = entry.module or entry.op
                return Cause(
                    "normalization_placement",
                    f"the normalisation in `{place}` subtracts the mean of a single value, which leaves 0 of any input",
                    "Normalise over the features (LayerNorm), or use batches of several samples.",
                    (place,),
                    {"input_rms": entry.forward_in, "output_rms": 0.0},
                    ("layer_norm", "larger_batch"),
                    "x - mean(x) = 0 for one value; batch statistics need a batch (Ioffe 2015)",
                    0.9,
                )
    return None


def _underflown(evidence: Evidence) -> Cause | None:
    """An exponential that is 0 for every element of the batch, and so is its slope."""
    for row in evidence.ledgers[:1]:
        for entry in row.ledger.entries:
            if entry.op == "Exp" and entry.forward_out == 0:
                place = entry.module or entry.op
                return Cause(
                    "precision_underflow",
                    "every exponential that is taken"
                    + (f" in `{place}`" if entry.module else "")
                    + " is exactly 0, and with it its slope: below exp(-104) nothing is left in float32",
                    "Keep the logarithm: logsumexp or log_softmax of the exponents, or scale them down first.",
                    (place,),
                    {"output_rms": 0.0},
                    ("log_space", "standardise_inputs"),
                    "exp(-103.97) is the smallest positive float32, 2^-149",
                    0.85,
                )
    return None
