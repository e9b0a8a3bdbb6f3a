"""Sees every step of every optimizer that derives from ``torch.optim.Optimizer``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, Protocol

from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook
from torch.utils.hooks import RemovableHandle


class StepListener(Protocol):
    """What a monitor does around an optimizer's step.  None of these may raise."""

    def step_begins(self, optimizer: Optimizer, has_closure: bool) -> None: ...

    def step_ends(self, optimizer: Optimizer, has_closure: bool) -> None: ...


class StepWatch:
    """Torch's global optimizer hooks, with each step told once.

    A subclass that calls ``super().step()`` fires the hooks twice, nested; only the outer call counts.
    ``closure_ends`` is told when the closure of a step has been called for the first time.
    """

    def __init__(self, listener: StepListener, closure_ends: Callable[[Optimizer], None] | None = None) -> None:
        self._listener = listener
        self._closure_ends = closure_ends
        self._handles: list[RemovableHandle] = []
        self._running: dict[int, tuple[FrameType, bool]] = {}
        self._nested: dict[int, int] = {}

    def attach(self) -> None:
        self._handles = [
            register_optimizer_step_pre_hook(self._before),
            register_optimizer_step_post_hook(self._after),
        ]

    def detach(self) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
        self._running.clear()
        self._nested.clear()

    def _before(self, optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        key = id(optimizer)
        frame = sys._getframe(1)
        if key in self._running and _on_stack(self._running[key][0], frame):
            self._nested[key] = self._nested.get(key, 0) + 1
            return None
        has_closure = callable(kwargs.get("closure")) or any(callable(argument) for argument in args[1:])
        self._running[key] = (frame, has_closure)
        self._nested[key] = 0
        self._listener.step_begins(optimizer, has_closure)
        if not has_closure or self._closure_ends is None:
            return None
        told = _telling(self._closure_ends, optimizer)
        return tuple(told(a) for a in args), {name: told(value) for name, value in kwargs.items()}

    def _after(self, optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        key = id(optimizer)
        if self._nested.get(key, 0) > 0:
            self._nested[key] -= 1
            return
        if key in self._running:
            _, has_closure = self._running.pop(key)
            self._listener.step_ends(optimizer, has_closure)


def _telling(tell: Callable[[Optimizer], None], optimizer: Optimizer) -> Callable[[Any], Any]:
    """Makes a closure tell when it has been called for the first time; leaves anything else as it is."""
    told = False

    def wrapped(argument: Any) -> Any:
        if argument is optimizer or not callable(argument):
            return argument

        def closure(*args: Any, **kwargs: Any) -> Any:
            nonlocal told
            result = argument(*args, **kwargs)
            if not told:
                told = True
                tell(optimizer)
            return result

        return closure

    return wrapped


def _on_stack(wanted: FrameType, frame: FrameType | None) -> bool:
    """Whether a call is still running; a step that raised has left the stack without its post-hook."""
    while frame is not None:
        if frame is wanted:
            return True
        frame = frame.f_back
    return False
