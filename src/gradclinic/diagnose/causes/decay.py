"""Weights that decay shrinks faster than they learn."""

from __future__ import annotations

from typing import Final

import numpy as np

from ..evidence import Evidence
from .cause import Cause

#: One e-fold of decay in the run: what was initialised is mostly gone, at lr·decay·T ≥ 1.
SHRUNK_TO: Final = 0.37


def shrunk_by_decay(evidence: Evidence) -> Cause | None:
    """None where the median weight kept more than an e-fold of its first size."""
    norms = evidence.weight_norms[:, evidence.matrices]
    if len(norms) < 2:
        return None
    with np.errstate(invalid="ignore", divide="ignore"):
        left = norms[-1] / norms[0]
    left = left[np.isfinite(left)]
    if not len(left) or np.median(left) > SHRUNK_TO:
        return None
    decay = max((float(value) for value in evidence.settings("weight_decay")), default=0.0)
    modules = tuple(evidence.module_of(int(i)) for i in evidence.matrices)
    source = f"weight_decay = {decay:g}" if decay > 0 else "a penalty on the weights in the loss"
    return Cause(
        "weight_decay_high",
        f"{source} pulled them to {100 * np.median(left):.2g}% of their first size (median)",
        (
            f"Lower the weight decay to {decay / 100:g}."
            if decay > 0
            else "Lower the weight of the penalty a hundredfold."
        ),
        tuple(dict.fromkeys(modules))[:8],
        {"weight_left": float(np.median(left)), "weight_decay": decay},
        ("lower_weight_decay",),
        "decay multiplies weights by (1 - lr·decay) at each step",
        0.85,
    )
