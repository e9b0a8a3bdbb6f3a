"""A first loss far above that of a constant prediction, and what makes the outputs so large or so far off."""

from __future__ import annotations

from statistics import fmean

from gradclinic.schema.ledger import Entry

from ..condition import Threshold
from ..evidence import Evidence
from .at_start import large_inputs, large_targets, weights
from .cause import Cause, listed
from .data import FAR_OFF

#: A cross-entropy grows with the size of the logits, a squared error with its square: both limits are outputs that are
#: three times as large, or as far off, as a constant prediction allows.
FAR_LABELS = Threshold("loss_over_constant_labels", 3.0, "logits three times the size that a constant allows")
FAR_NUMBERS = Threshold("loss_over_constant_numbers", 10.0, "predictions three spreads of the targets off")
#: σ = RMS·√fan_in of a weight.  The critical one of every usual activation lies between 0.9 and 2.
WIDE = Threshold("sigma", 3.0, "half as much again as the largest critical σ of a usual activation")


def large_outputs(evidence: Evidence) -> Cause | None:
    """A first loss far above that of a constant prediction, where the data are in scale: the weights made it."""
    seen = first_loss(evidence)
    if seen is None or large_inputs(evidence) is not None or large_targets(evidence) is not None:
        return None
    loss, constant = seen
    if loss < _limit(evidence) * constant:
        return None
    wide = {e.module or e.op: s for e in weights(evidence) if (s := _sigma(e)) is not None and s >= WIDE.value}
    numbers: dict[str, float | int | str] = {"loss_first": loss, "loss_constant": constant, "ratio": loss / constant}
    source = "a model that knows nothing yet does best with a constant prediction"
    because = (
        f"the first loss is {loss:.4g}, {loss / constant:.2g} times that of a constant prediction ({constant:.4g})"
    )
    if wide:
        worst = max(wide, key=lambda name: wide[name])
        return Cause(
            "weight_scale_large",
            f"{because}: σ, the weights' RMS times √fan_in, is {wide[worst]:.3g} in `{worst}`",
            f"Initialise {listed(list(wide))} with smaller weights, the last layer's first.",
            tuple(wide)[:8],
            numbers | {"sigma": wide[worst]},
            ("smaller_head", "kaiming"),
            source,
            0.8,
        )
    away = _targets_elsewhere(evidence)
    if away:
        return Cause(
            "target_scale",
            f"{because}: {away}",
            "Standardise the targets (subtract the mean, divide by the standard deviation) before training.",
            ("targets",),
            numbers,
            ("standardise_targets",),
            source,
            0.8,
        )
    head = next((e.module or e.op for e in reversed(weights(evidence))), "model")
    return Cause(
        "unknown",
        f"{because}, with weights and targets in scale: the signal grows on its way",
        f"Start `{head}` with smaller weights.",
        (head,),
        numbers,
        ("smaller_head",),
        source,
        0.5,
    )


def first_loss(evidence: Evidence) -> tuple[float, float] | None:
    """The loss before the first step, and that of the best constant prediction; None where either is not known."""
    shown = [event.data for event in evidence.events("baseline") if event.data["at"] == 0]
    known = [(d["loss"], d["constant"]) for d in shown if d["loss"] is not None and (d["constant"] or 0.0) > 0]
    return (fmean(loss for loss, _ in known), fmean(constant for _, constant in known)) if known else None


def _targets_elsewhere(evidence: Evidence) -> str:
    """How the targets lie far from the first predictions, in words; "" where they do not."""
    first = next((o for _, o in evidence.objectives if o.classes is None and o.target_rms), None)
    if first is None or not first.target_rms:
        return ""
    if first.prediction_rms is not None and first.target_rms < FAR_OFF * first.prediction_rms:
        given = first.prediction_rms
        return f"the targets have an RMS of {first.target_rms:.2g}, the first predictions one of {given:.2g}"
    mean = first.target_mean or 0.0
    spread = max(first.target_rms**2 - mean**2, 0.0) ** 0.5
    if mean**2 > FAR_NUMBERS.value * spread**2:
        return f"the targets lie around {mean:.3g}, with a spread of {spread:.2g}"
    return ""


def _limit(evidence: Evidence) -> float:
    labels = any(o.classes is not None for _, o in evidence.objectives[:1])
    return FAR_LABELS.value if labels else FAR_NUMBERS.value


def _sigma(entry: Entry) -> float | None:
    if entry.weight_rms is None or not entry.fan_in:
        return None
    return float(entry.weight_rms * entry.fan_in**0.5)
