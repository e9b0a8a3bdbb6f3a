"""A softmax inside the model that has chosen before anything was learned: attention scores of too large a scale."""

from __future__ import annotations

from math import prod

from ..evidence import Evidence
from .cause import Cause

#: Mean of Σp² over the rows of a softmax.  Of rows that hold one value (1) or a tie between two (1/2), three quarters
#: means that at least half hold one value: their slope p(1-p) is gone.
ONE_HOT = 0.75


def one_hot_attention(evidence: Evidence) -> Cause | None:
    """The hidden softmax that is nearly one-hot at the first step; None where each still weighs its inputs."""
    for row in evidence.ledgers[:1]:
        if evidence.step_of(row.tick) > 0:
            return None
        last = max((entry.sequence for entry in row.ledger.entries if entry.kind == "weight"), default=-1)
        for entry in row.ledger.entries:
            shape, rms = entry.shape, entry.forward_out
            if entry.op != "Softmax" or entry.sequence > last or not shape or rms is None or shape[-1] < 2:
                continue
            if prod(shape[:-1]) < 2 or rms**2 * shape[-1] < ONE_HOT:
                continue
            place = entry.module or "the softmax"
            return Cause(
                "saturating_activation",
                f"before the first step the softmax in `{place}` over {shape[-1]} values is nearly one-hot"
                f" (mean Σp² {rms**2 * shape[-1]:.2f}, where even weights give {1 / shape[-1]:.2f}), so that hardly any"
                " gradient passes it",
                f"Divide the scores before the softmax in `{place}` by the square root of their dimension.",
                (place,),
                {"mean_sum_p_squared": rms**2 * shape[-1], "choices": shape[-1]},
                ("scale_attention", "critical_init"),
                "Vaswani 2017: dot products of d terms have variance d",
                0.8,
            )
    return None
