"""Notices gradients that are not finite and that a script throws away itself: a loss scale made by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

#: Backward passes that are looked at, once an optimizer is known: twice the 16 in which a scale of 2^16 halves to 1.
LOOKED_AT = 32


class Discarded:
    """Follows the gradients from a backward pass to the next; a step in between has used them, whatever they were.

    ``put(kind, data)`` takes ``gradients_discarded``.  Only gradients on the host are read: no synchronisation.
    """

    def __init__(self, put: Callable[[str, dict[str, Any]], None]) -> None:
        self._put = put
        self._passes = self._count = 0
        self._broken: NDArray[np.int64] | None = None  # per row, where the last pass left something not finite
        self._trace: Callable[[NDArray[Any]], None] | None = None

    def backward_ended(self, tensors: Sequence[Tensor | None], trace: Callable[[NDArray[Any]], None]) -> None:
        """``trace`` takes the rows whose gradients broke, and looks for the operation that did it."""
        self._broken = None
        if self._passes >= LOOKED_AT or not tensors:
            return
        self._passes += 1
        broken = np.array([_broken(tensor) for tensor in tensors], dtype=np.int64)
        if broken.any():
            self._broken, self._trace = broken, trace

    def backward_begins(self) -> None:
        """Without a step since the last pass, its gradients were thrown away, or are added to: both as bad."""
        broken, trace, self._broken, self._trace = self._broken, self._trace, None, None
        if broken is None or trace is None:
            return
        self._count += 1
        self._put("gradients_discarded", {"count": self._count, "passes": self._passes})
        trace(broken)

    def stepped(self) -> None:
        """An optimizer took the gradients, or a scaler held it back: both are told elsewhere."""
        self._broken = self._trace = None


def _broken(tensor: Tensor | None) -> bool:
    gradient = None if tensor is None else tensor.grad
    if gradient is None or gradient.is_sparse or gradient.device.type != "cpu":
        return False
    return not bool(gradient.isfinite().all())
