"""What is out of scale before the first step in the data: inputs, targets."""

from __future__ import annotations

from gradclinic.schema.ledger import Entry

from ..evidence import Evidence
from .cause import Cause
from .data import FAR_OFF
from .step_size import INPUT_RMS, INPUT_SMALL, TARGET_RMS, input_rms


def large_inputs(evidence: Evidence) -> Cause | None:
    """Inputs an order of magnitude from 1 that nothing scales before the first weights."""
    given = [float(e.data["rms"]) for e in evidence.events("model_input") if e.data["given"] and "rms" in e.data]
    seen = input_rms(evidence)
    if seen is None or seen[0] < INPUT_RMS or max(given, default=0.0) < INPUT_RMS:
        return None
    rms, where = seen
    return Cause(
        "input_scale",
        f"the inputs have an RMS of {max(given):.3g} and reach `{where}` with {rms:.3g}, where the weights expect 1:"
        f" the largest stable learning rate of gradient descent is {rms**2:.2g} times smaller for it",
        "Standardise the inputs (subtract the mean, divide by the standard deviation) before training.",
        (where,),
        {"input_rms": rms},
        ("standardise_inputs",),
        "LeCun 1998: inputs of mean 0 and variance 1 keep the curvature alike in all directions",
        0.7,
    )


def large_targets(evidence: Evidence) -> Cause | None:
    """Targets an order of magnitude from 1, of which the first predictions are less than a tenth."""
    first = next((o for _, o in evidence.objectives if o.classes is None and o.target_rms), None)
    if first is None or first.target_rms is None or first.prediction_rms is None:
        return None
    if first.target_rms < TARGET_RMS or first.prediction_rms > FAR_OFF * first.target_rms:
        return None
    return Cause(
        "target_scale",
        f"the targets have an RMS of {first.target_rms:.3g}, and the first predictions one of"
        f" {first.prediction_rms:.2g}",
        "Standardise the targets (subtract the mean, divide by the standard deviation) before training.",
        ("targets",),
        {"target_rms": first.target_rms, "prediction_rms_first": first.prediction_rms},
        ("standardise_targets",),
        "a model's first outputs are of order 1, whatever it is asked for",
        0.7,
    )


def small_inputs(evidence: Evidence) -> Cause | None:
    """Inputs whose length is a tenth or less, so that the first layer's units differ by their biases alone.

    The length and not the RMS: a one-hot vector has the length 1 in any number of dimensions.
    """
    first = [e for e in weights(evidence) if not e.inputs and e.forward_in is not None and e.fan_in]
    lengths = [(float(e.forward_in or 0.0) * float(e.fan_in or 0) ** 0.5, e.module or e.op) for e in first]
    length, where = max(lengths, default=(1.0, ""))
    if not 0 < length <= INPUT_SMALL:
        return None
    return Cause(
        "input_scale",
        f"the inputs reach `{where}` with a length of {length:.2g}, so that its units differ by their biases and hardly"
        " by them",
        "Standardise the inputs (subtract the mean, divide by the standard deviation) before training.",
        (where,),
        {"input_length": length},
        ("standardise_inputs",),
        "LeCun 1998: inputs of variance 1 use the units' range",
        0.75,
    )


def weights(evidence: Evidence) -> list[Entry]:
    """What the first account has of operations with weights, in the order in which they ran."""
    entries = evidence.ledgers[0].ledger.entries if evidence.ledgers else ()
    return sorted((e for e in entries if e.kind == "weight"), key=lambda e: e.sequence)
