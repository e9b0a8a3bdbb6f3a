"""A learning rate that was raised beyond what the run had learned at, and took away what had been learned."""

from __future__ import annotations

from typing import Final

import numpy as np

from ..evidence import Evidence
from ..learning import ERRORS
from ..series import median_error, noise, window_size
from .cause import Cause

#: A warm restart goes back to a rate at which the run has learned before; twice that is a rate it has never seen, and
#: twice the curvature's limit is where steps that were stable no longer are.
RAISED: Final = 2.0
#: The loss of a window doubles only where something was lost: single batches differ by more, medians by far less.
LOST: Final = 2.0


def raised_beyond(evidence: Evidence) -> tuple[Cause, int] | None:
    """The cause, and the step at which the rate left the range in which the loss had come down; None without one."""
    if len(evidence.optimizers) != 1:
        return None
    rows = [(s.step, s.loss, max(s.lr)) for s in evidence.taken if s.loss is not None and s.lr]
    size = window_size(len(rows))
    if not rows or len(rows) < 4 * size:
        return None
    steps, losses, rates = np.array(rows, dtype=np.float64).T
    if not np.isfinite(losses).all() or (losses <= 0).any():
        return None
    smooth = np.array([np.median(losses[at : at + size]) for at in range(len(losses) - size + 1)])
    best = int(np.argmin(smooth))
    known, end = rates[: best + size].max(), float(np.median(rates[-size:]))
    error = median_error(noise(losses), size)
    if end < RAISED * known or smooth[-1] < LOST * smooth[best] + ERRORS * error:
        return None
    since = int(np.argmax(rates > known))
    name = next(iter(evidence.optimizers.values())).name
    cause = Cause(
        "learning_rate_high",
        f"the schedule took the learning rate from {known:.3g}, at which the loss had come down to {smooth[best]:.3g},"
        f" up to {rates.max():.3g}, at which it cannot stay there",
        f"Let the rate of {name} rise to no more than {known:.3g}, at which it learned.",
        (name,),
        {"learning_rate_learned_at": float(known), "learning_rate_last": end, "loss_best": float(smooth[best])},
        ("lower_learning_rate",),
        "a stable step shrinks the error, one beyond the limit throws it up (Cohen 2021, 2022)",
        0.85,
    )
    return cause, int(steps[since])
