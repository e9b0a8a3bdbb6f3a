"""Notices steps that go up the gradient in place of down."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

#: Cosine between a step and the gradient above which it goes uphill.  Steps downhill have -1 (plain descent) to about
#: -0.8 (Adam: a sign has cosine √(2/π) with a Gaussian); momentum and noise bring it near 0, nothing to the other side.
UPHILL = 0.5
#: Steps in a row, from the first on: momentum has not built up there.
IN_A_ROW = 2


class Uphill:
    """Follows the first steps of a run, over all weights that a step moved."""

    def __init__(self) -> None:
        self._count = 0
        self._over = False

    def stepped(
        self, before: Sequence[Tensor | None], after: Sequence[Tensor | None], slopes: Sequence[Tensor | None]
    ) -> float | None:
        """Samples of the weights before and after a step, and of their gradients, shape by shape alike (None: unknown).

        Returns the cosine once it is certain that steps go uphill.
        """
        if self._over:
            return None
        value = cosine(before, after, slopes)
        if value is None:
            return None
        self._count = self._count + 1 if value > UPHILL else 0
        self._over = self._count in (0, IN_A_ROW)
        return value if self._count == IN_A_ROW else None


def cosine(
    before: Sequence[Tensor | None], after: Sequence[Tensor | None], slopes: Sequence[Tensor | None]
) -> float | None:
    """Of the step with the gradient, over all samples together; None where one of them is 0 or not finite."""
    product = length = slope_length = 0.0
    for old, new, slope in zip(before, after, slopes, strict=True):
        if old is None or new is None or slope is None or not old.shape == new.shape == slope.shape:
            continue
        moved, slope = new.double() - old.double(), slope.double()
        product += float(torch.dot(moved, slope))
        length += float(torch.dot(moved, moved))
        slope_length += float(torch.dot(slope, slope))
    size = (length * slope_length) ** 0.5
    return product / size if 0 < size < float("inf") else None
