"""Which values of the first batch lie at the end of their number format."""

from __future__ import annotations

from typing import Any, Final

from ..condition import Threshold
from ..evidence import Evidence
from .cause import Cause, listed

#: Largest finite number, and smallest positive one.
FORMATS: Final = {"float16": (65504.0, 2.0**-24), "bfloat16": (3.3895e38, 2.0**-133)}
#: The smallest number of float16 that has all its bits.
NORMAL: Final = 2.0**-14
DOUBLINGS = Threshold(
    "factor_to_the_largest", 4.0, "two doublings: what another batch, or weights that have grown, take easily"
)
UNITS = Threshold(
    "units_of_last_place", 4.0, "of four times the smallest number two bits are left, and what is smaller is mostly 0"
)


def near_overflow(evidence: Evidence) -> Cause | None:
    """Values, or gradients, within two doublings of the largest number of their format."""
    found = []
    for row in _rows(evidence):
        for key, what in (("largest", f"the result of {row['function']}"), ("gradient_largest", "the gradient")):
            left = FORMATS[row["dtype"]][0] / row[key] if row[key] else float("inf")
            found.append((left, row[key], what, row))
    left, size, what, worst = min(found, key=lambda item: item[0], default=(float("inf"), 0.0, "", {}))
    if left >= DOUBLINGS.value:
        return None
    where = tuple(dict.fromkeys(_place(row) for own, _, _, row in sorted(found, key=_first) if own < DOUBLINGS.value))
    end = FORMATS[worst["dtype"]][0]
    return Cause(
        "precision_overflow",
        f"at the initial weights {what} in {listed(where[:1])} reaches {size:.3g}, and {worst['dtype']} ends at"
        f" {end:.5g}, {left:.2g} times that",
        f"Compute {listed(where)} in bfloat16 or float32, or scale its values down.",
        where[:8],
        {"largest": size, "factor_left": left, "dtype": worst["dtype"]},
        ("bfloat16", "full_precision"),
        "largest float16: 65504 (Micikevicius 2018)",
        0.7,
    )


def near_underflow(evidence: Evidence) -> Cause | None:
    """Gradients whose typical element is a few times the smallest number of its format."""
    found = []
    for row in _rows(evidence):
        typical = row["gradient_typical"]
        if typical is not None:
            found.append((typical / FORMATS[row["dtype"]][1], typical, row))
    units, typical, worst = min(found, key=lambda item: item[0], default=(float("inf"), 0.0, {}))
    if units >= UNITS.value:
        return None
    where = tuple(dict.fromkeys(_place(row) for own, _, row in sorted(found, key=_first) if own < UNITS.value))
    normal = FORMATS[worst["dtype"]][1] * NORMAL / FORMATS["float16"][1]
    return Cause(
        "precision_underflow",
        f"at the initial weights the typical element of the gradient in {listed(where[:1])} is {typical:.1e}, that is"
        f" {normal / typical:.2g} times less than {worst['dtype']} holds with all its bits, and smaller ones are 0",
        "Use bfloat16, or multiply the loss: torch.amp.GradScaler does that in the training loop.",
        where[:8],
        {"gradient_typical": typical, "factor_below_normal": normal / typical, "dtype": worst["dtype"]},
        ("gradient_scaler", "bfloat16"),
        "smallest float16: 2^-24 = 6e-8, with all its bits 2^-14 = 6e-5 (Micikevicius 2018)",
        0.7,
    )


def _rows(evidence: Evidence) -> list[dict[str, Any]]:
    return [row for event in evidence.events("headroom")[:1] for row in event.data["modules"]]


def _first(item: tuple[Any, ...]) -> float:
    return float(item[0])


def _place(row: dict[str, Any]) -> str:
    return str(row["module"] or row["function"] or "loss")
