"""Why the gradient of a model cannot be judged."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

import torch
from torch import Tensor

from .along import Measured
from .start import Start


def no_start(begun: Start) -> str | None:
    """Why the first evaluations leave nothing to compare; None where they do."""
    if not begun.twin.parameters:
        return "no parameter is trainable"
    if not begun.steady:
        return "two identical runs of the loss differ"
    if not (isfinite(begun.first) and isfinite(begun.second)):
        return "the loss is not finite"
    if not all(bool(torch.isfinite(_values(own)).all()) for own in begun.gradient if own is not None):
        return "the gradient is not finite"
    return None


def no_sight(seen: Sequence[Measured], gradient: Sequence[Tensor | None]) -> str | None:
    """Why the slopes along no direction can be compared; None where they can."""
    if not all(one.finite for one in seen):
        return "the loss is not finite near these weights"
    if all(one.flat for one in seen):
        if all(own is None for own in gradient):
            return "the loss does not depend on any trainable parameter of the model that it is given"
        return "the loss is flat: its slope is lost in rounding"
    if all(one.rough for one in seen):
        return "the loss jumps or has kinks too close to each other for finite differences"
    return None


def _values(gradient: Tensor) -> Tensor:
    return gradient.coalesce().values() if gradient.is_sparse else gradient
