"""A sequence whose beginning does not reach the loss: what was read is forgotten before it is used."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..evidence import Evidence
from .cause import Cause

#: Twelve depth scales, as through depth (see ``vanishing_gradient``): twice the edge of trainability.
DECADES: Final = 2.6
#: Twice that where the run learns something: a gate that forgets at the start is what training opens.
OPENING: Final = 2.0
#: A recurrence forgets at every position; a window that ends leaves exact zeros behind, and a mask is meant.
STEADY: Final = 0.8
#: What a transform (an FFT) leaves where nothing arrives is noise, of one size but for a factor of two.
ROUNDING: Final = 0.3
#: Where exact zeros follow on a decline of so many decades, half of float32's range, they are its end.
FADED: Final = 20.0


def forgotten(evidence: Evidence) -> Cause | None:
    """The gradient at the first positions, decades below that at the last: where nothing else explains the run."""
    for event in evidence.events("input_reach")[-1:]:
        norms = np.array(event.data["norms"], dtype=np.float64)
        third = len(norms) // 3
        if not third or not np.isfinite(norms).all():
            continue
        if (norms <= 0).mean() > 1 - STEADY and not _faded(norms):
            continue
        logs = np.log10(np.maximum(norms, np.finfo(np.float64).tiny))
        first, middle, last = (float(np.median(part)) for part in (logs[:third], logs[third:-third], logs[-third:]))
        least = OPENING * DECADES if evidence.learning.works else DECADES
        if last - first < least or not first - ROUNDING < middle < last:
            continue
        return Cause(
            "recurrent_contraction",
            f"of the loss's gradient only 10^{first - last:.1f} arrives at the first third of the input sequence,"
            " measured against the last third: what is read there is forgotten before it is used",
            "Let the state decay more slowly (a smaller step size or leak, an orthogonal recurrence, a forget gate"
            " whose bias is 1), or read the answer from all positions.",
            ("input",),
            {"decades_over_positions": first - last, "found_by": "reach"},
            ("orthogonal_recurrence", "gated_cell"),
            "Pascanu 2013: what is t steps away arrives as the recurrent gain to the power t",
            0.7,
        )
    return None


def _faded(norms: NDArray[np.float64]) -> bool:
    """Whether the positions after the last one without a gradient begin with hardly any."""
    tail = norms[np.flatnonzero(norms <= 0)[-1] + 1 :]
    return len(tail) >= 3 and bool(np.log10(tail[0] / tail[-1]) < -FADED)
