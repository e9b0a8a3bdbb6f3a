"""Layers that normalise after their shortcut, at steps that only a warm-up would let them take."""

from __future__ import annotations

from typing import Final

from ..evidence import Evidence
from .cause import Cause, listed

#: Four encoder blocks of two each: shallower ones train without a warm-up, and the steps themselves are at fault.
BLOCKS: Final = 8


def normalised_after_shortcuts(evidence: Evidence) -> Cause | None:
    """Where a tenth of the learning rate moves the loss on a copy, and the stream is normalised after each addition."""
    tested = evidence.interventions.of("learning_rate_high")
    if tested is None or not tested.moves:
        return None
    for row in evidence.ledgers[:1]:
        entries = row.ledger.entries
        sums = {entry.sequence for entry in entries if entry.kind == "shortcut"}
        after = [e for e in entries if e.kind == "normalization" and sums.intersection(e.inputs)]
        if len(after) < BLOCKS:
            continue
        where = tuple(dict.fromkeys(entry.module or entry.op for entry in after))
        return Cause(
            "normalization_placement",
            f"{listed(where)} normalise after the addition of {len(after)} shortcuts, which makes the gradients of the"
            " last layers large at the start: at a tenth of the learning rate the loss falls on a copy, at this it does"
            " not",
            "Normalise at the beginning of each branch (pre-norm), or raise the learning rate slowly from 0.",
            where[:8],
            {"normalised_after_shortcuts": len(after)},
            ("pre_norm", "warmup"),
            "Xiong 2020: post-norm needs a warm-up, pre-norm does not",
            0.75,
        )
    return None
