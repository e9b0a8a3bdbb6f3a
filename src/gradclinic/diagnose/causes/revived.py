"""A gradient that one part of the forward pass takes away, and that comes back by decades when it is left out."""

from __future__ import annotations

from math import inf, isfinite, log10
from typing import Final

from ..evidence import Evidence
from ..interventions import Examined
from .cause import Cause, listed

#: Two decades at the first layer are more than any rescaling of the weights brings a net of ordinary depth.
REVIVED: Final = 2.0
#: What gains half of it as well may be the same gradient, reached another way: then it is not told apart.
APART: Final = 0.5


def revived(evidence: Evidence) -> Cause | None:
    """The normalisation or the number format that stops the gradient, where taking it away alone brings it back.

    An account of the gradient's way shows where it is lost, and not that a constant output is why: the test does.
    """
    tests = evidence.interventions
    rivals = [gain for name in ("weight_scale", "missing_shortcut") if (gain := _gain(tests.changed(name))) is not None]
    for name in ("precision", "normalization"):
        tested = tests.changed(name)
        gain = _gain(tested)
        if tested is None or gain is None or gain < REVIVED or max(rivals, default=0.0) > APART * gain:
            continue
        return _precision(tested, gain) if name == "precision" else _normalization(tested, gain)
    return None


def _gain(tested: Examined | None) -> float | None:
    """Decades by which the first layer's gradient grows; inf where it had none."""
    if tested is None:
        return None
    before, after = tested.plain.get("first"), tested.data.get("first")
    if before is None or not after or not isfinite(before) or not isfinite(after):
        return None
    return log10(after / before) if before > 0 else inf


def _normalization(tested: Examined, gain: float) -> Cause:
    where = tuple(tested.data["where"])
    return Cause(
        "normalization_placement",
        f"the normalisation in {listed(where)} leaves hardly anything of what goes in: without it the first layer's"
        f" gradient, {_size(tested.plain)} as it is, is {_size(tested.data)}",
        f"In {listed(where)}: normalise over more values (the features, not one channel, one sample or one number), or"
        " leave the normalisation out.",
        where,
        {"decades_gained": min(gain, 99.0)},
        ("move_normalization", "remove_normalization"),
        "what is normalised over one or two values is the same for every input (Ioffe 2015, Ba 2016)",
        0.85,
    )


def _precision(tested: Examined, gain: float) -> Cause:
    numbers = tested.data.get("numbers", {})
    over = numbers.get("overflowed_calls", 0) > 0
    return Cause(
        "precision_overflow" if over else "precision_underflow",
        f"in float32 the first layer's gradient is {_size(tested.data)}, as it is {_size(tested.plain)}: "
        + ("a value of the forward pass leaves the range of its format" if over else "it is too small for its format"),
        "Compute in float32 or bfloat16 what leaves the range of float16 (65504)."
        if over
        else "Use a gradient scaler, or bfloat16 or float32.",
        tuple(tested.data["where"]),
        {"decades_gained": min(gain, 99.0), **numbers},
        ("full_precision",) if over else ("gradient_scaler", "full_precision"),
        "float16: 6e-8 to 65504 (Micikevicius 2018)",
        0.85,
    )


def _size(data: dict[str, float]) -> str:
    return f"{data['first']:.1e}" if data["first"] else "exactly 0"
