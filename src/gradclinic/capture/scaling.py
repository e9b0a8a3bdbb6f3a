"""Sees what a gradient scaler does: the loss it scaled, the steps it held back, the order of calls."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from torch import Tensor
from torch.amp.grad_scaler import GradScaler, OptState
from torch.optim import Optimizer

from .patching import Patches


class ScalerListener(Protocol):
    """What a monitor does about a scaler's decisions.  It may not raise."""

    def step_skipped(self, optimizer: Optimizer, scale: float | None) -> None: ...


class ScalerWatch:
    """Wraps ``GradScaler``'s methods.  ``torch.cuda.amp.GradScaler`` derives from it."""

    def __init__(self, listener: ScalerListener) -> None:
        self._listener = listener
        self._patches = Patches()
        self._unscaled: weakref.WeakKeyDictionary[Tensor, Tensor] = weakref.WeakKeyDictionary()
        self._scaler: weakref.ref[GradScaler] | None = None
        self._stepping: Optimizer | None = None  # the optimizer inside scaler.step()
        self._stepped: int | None = None  # id of the last optimizer that did step inside it
        self._done: set[int] = set()  # ids of optimizers that a scaler has stepped since the last backward
        self._backward_scaled = False  # whether the last backward pass began at a scaled loss

    def attach(self) -> None:
        self._patches.wrap(GradScaler, "scale", self._scale)
        self._patches.wrap(GradScaler, "step", self._step)

    def detach(self) -> None:
        self._patches.undo()
        self._unscaled.clear()

    def unscaled(self, root: Tensor) -> Tensor:
        """The loss as the user computed it, where ``root`` is that loss times the scale."""
        return self._unscaled.get(root, root)

    def scale(self) -> float | None:
        """The current scale, where a scaler is in use and its scale lies on the host."""
        scaler = self._scaler() if self._scaler else None
        tensor = getattr(scaler, "_scale", None)
        if tensor is None or tensor.device.type != "cpu":
            return None
        return float(tensor)

    def scaler(self) -> GradScaler | None:
        """The scaler in use, if any."""
        return self._scaler() if self._scaler else None

    def still_scaled(self) -> bool:
        """Whether gradients of the last backward pass are still multiplied by the scale."""
        scaler = self._scaler() if self._scaler else None
        if scaler is None or not scaler.is_enabled() or self._stepping is not None:
            return False
        states = scaler._per_optimizer_states
        return all(state["stage"] is OptState.READY for state in states.values()) if states else True

    def backward_begins(self, roots: Sequence[Tensor]) -> None:
        self._done.clear()
        self._backward_scaled = any(self.unscaled(root) is not root for root in roots)

    def optimizer_stepped(self, optimizer: Optimizer) -> str | None:
        """Tells this watch of a real step; returns the event where that step is wrong."""
        if self._stepping is optimizer:
            self._stepped = id(optimizer)
        elif id(optimizer) in self._done:
            return "step_after_scaler"
        elif self._backward_scaled and self.still_scaled() and self.scale() != 1.0:
            return "stepped_while_scaled"
        return None

    def _scale(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def scale(scaler: GradScaler, outputs: Any) -> Any:
            result = original(scaler, outputs)
            if scaler.is_enabled() and isinstance(outputs, Tensor):
                self._scaler = weakref.ref(scaler)
                if result is not outputs:
                    self._unscaled[result] = outputs.detach()
            return result

        return scale

    def _step(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def step(scaler: GradScaler, optimizer: Optimizer, *args: Any, **kwargs: Any) -> Any:
            if not scaler.is_enabled():
                return original(scaler, optimizer, *args, **kwargs)
            self._scaler = weakref.ref(scaler)
            self._stepping, self._stepped = optimizer, None
            try:
                result = original(scaler, optimizer, *args, **kwargs)
            finally:
                self._stepping = None
            if self._stepped is None:
                self._listener.step_skipped(optimizer, self.scale())
            self._done.add(id(optimizer))
            return result

        return step
