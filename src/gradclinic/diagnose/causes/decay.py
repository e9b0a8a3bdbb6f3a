"""Weights that decay shrinks faster than they learn."""

from __future__ import annotations

from typing import Final

import numpy as np

from ..evidence import Evidence
from .cause import Cause, listed

#: One e-fold of decay in the run: what was initialised is mostly gone, at lr·decay·T ≥ 1.
SHRUNK_TO: Final = 0.37


def shrunk_by_decay(evidence: Evidence) -> Cause | None:
    """None where the typical weight kept more than an e-fold of its first size.

    Typical is the median over the weights and, where the optimizer itself decays them, over their elements as well: an
    embedding may be most of the model, and its rare rows get decay and hardly a gradient.
    """
    norms = evidence.weight_norms[:, evidence.matrices]
    if len(norms) < 2:
        return None
    with np.errstate(invalid="ignore", divide="ignore"):
        left = norms[-1] / norms[0]
    known = np.isfinite(left)
    places, left = evidence.matrices[known], left[known]
    decay = max((float(value) for value in evidence.settings("weight_decay")), default=0.0)
    if not len(left):
        return None
    shrunk = left <= SHRUNK_TO
    sizes = {parameter.index: int(np.prod(parameter.shape)) for parameter in evidence.parameters}
    elements = np.array([sizes[int(place)] for place in places])
    most = decay > 0 and 2 * elements[shrunk].sum() > elements.sum()
    if np.median(left) > SHRUNK_TO and not most:
        return None
    modules = [evidence.module_of(int(place)) for place in places[shrunk]]
    source = f"weight_decay = {decay:g}" if decay > 0 else "a penalty on the weights in the loss"
    return Cause(
        "weight_decay_high",
        f"{source} pulled {listed(tuple(dict.fromkeys(modules)))} to {100 * np.median(left[shrunk]):.2g}% of their"
        " first size (median)",
        (
            f"Lower the weight decay to {decay / 100:g}."
            if decay > 0
            else "Lower the weight of the penalty a hundredfold."
        ),
        tuple(dict.fromkeys(modules))[:8],
        {"weight_left": float(np.median(left[shrunk])), "weight_decay": decay},
        ("lower_weight_decay",),
        "decay multiplies weights by (1 - lr·decay) at each step",
        0.85,
    )
