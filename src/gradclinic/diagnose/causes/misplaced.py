"""Predictions and targets that were flattened in different orders, so that each is held against another's."""

from __future__ import annotations

from typing import Final

from ..evidence import Evidence
from .cause import Cause

#: What the gradient says with targets dealt out at random is 1, give or take √(2/d) for d directions that matter: with
#: half a dozen of them, 2 is still chance, and 3 is more than three errors away.
CHANCE: Final = 2.0
TOLD: Final = 3.0


def misplaced(evidence: Evidence) -> Cause | None:
    """As it is, the targets say no more than random ones; in another order of the predictions they do."""
    for event in evidence.events("pairing")[-1:]:
        data = event.data
        if not (data["as_is"] < CHANCE and data["swapped"] > TOLD):
            continue
        one, two = data["dimensions"]
        return Cause(
            "loss_mismatch",
            f"the output of shape {tuple(data['shape'])} is flattened in another order than the targets: as it is, the"
            f" gradient says {data['as_is']:.1f} times what targets dealt out at random make it say, and"
            f" {data['swapped']:.1f} times with dimensions {one} and {two} of the output swapped before",
            f"Swap dimensions {one} and {two} of the output, or of the targets, before both are flattened"
            " (batch_first is the usual slip).",
            ("loss",),
            {"says_as_it_is": data["as_is"], "says_swapped": data["swapped"]},
            ("match_order",),
            "right targets add up along the kernel's large directions, random ones do not (Arora 2019)",
            0.85,
        )
    return None
