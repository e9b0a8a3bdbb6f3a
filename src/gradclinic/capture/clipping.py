"""Sees gradient clipping: the norm before it and the limit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from torch import Tensor
from torch.nn.utils import clip_grad

from .patching import Patches


class ClipListener(Protocol):
    """What a monitor does when gradients are clipped.  Must not raise."""

    def gradients_clipped(self, norm: Tensor | None, limit: float) -> None: ...


class ClipWatch:
    """Wraps the function that ``clip_grad_norm_`` hands the work to.

    The inner function is looked up at each call, so a ``from torch.nn.utils import clip_grad_norm_`` that
    ran before gradclinic came is seen as well.
    """

    def __init__(self, listener: ClipListener) -> None:
        self._listener = listener
        self._patches = Patches()

    def attach(self) -> None:
        self._patches.wrap(clip_grad, "_clip_grads_with_norm_", self._inner)

    def detach(self) -> None:
        self._patches.undo()

    def _inner(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def clip(parameters: Any, max_norm: float, total_norm: Tensor, *args: Any, **kwargs: Any) -> Any:
            self._listener.gradients_clipped(total_norm, float(max_norm))
            return original(parameters, max_norm, total_norm, *args, **kwargs)

        return clip
