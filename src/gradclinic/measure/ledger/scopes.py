"""Which module an operation ran in, read off autograd's sequence numbers at the module's entry and exit."""

from __future__ import annotations

import sys
import threading
import weakref
from bisect import bisect_right
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn
from torch.autograd import _get_sequence_nr as sequence_number  # type: ignore[attr-defined]
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.utils.hooks import RemovableHandle


def compile_in_use() -> bool:
    """Whether torch.compile was called in this process (True also for a module that has not run yet)."""
    frames = sys.modules.get("torch._dynamo.eval_frame")
    backends = getattr(frames, "cached_backends", None) or {}
    return any(backend is not None for backend in backends.values())


class Scopes:
    """The intervals of sequence numbers that modules' forward passes span.

    Autograd numbers the operations of a thread as they run, so an operation belongs to the innermost
    module whose interval contains its number.  Global hooks reach every module without touching any;
    they return nothing, so outputs stay what they are.  Attach for one scheduled step, then detach.

    ``names`` gives a module's dotted path ("" for the root), or None for a module that is not part of
    the model: operations in it belong to whatever called it.
    """

    def __init__(self, names: Callable[[nn.Module], str | None]) -> None:
        self._names = names
        self._handles: list[RemovableHandle] = []
        self._thread: int | None = None
        self._until = 0  # the number at detach(): what ran later was not recorded
        self._stack: list[tuple[int, str | None, str, bool]] = []  # id, path, class name, has parameters
        self._outermost: weakref.ref[nn.Module] | None = None
        # Breakpoints: from sequence number starts[i] on, the innermost module is marks[i].
        self._starts: list[int] = []
        self._marks: list[tuple[str, str, bool]] = []  # path, class name, inside a module with parameters

    @property
    def empty(self) -> bool:
        """True when no module ran while attached."""
        return not self._starts

    def attach(self) -> None:
        """Starts recording the modules that run in this thread.

        Does nothing when attached already, or when the process uses torch.compile: there a global hook
        brings a warning, and a recompilation if the first compiled call falls into a scheduled step.
        """
        if self._handles:
            return
        self.clear()
        if compile_in_use():
            return
        self._thread = threading.get_ident()
        self._handles = [
            register_module_forward_pre_hook(self._enter),
            register_module_forward_hook(self._leave, always_call=True),
        ]

    @property
    def current(self) -> str:
        """Dotted path of the module that is running now; "" outside any."""
        return next((path for _, path, _, _ in reversed(self._stack) if path is not None), "")

    @property
    def outermost(self) -> nn.Module | None:
        """The module that the script itself called and that is running now; None outside any."""
        return self._outermost() if self._stack and self._outermost is not None else None

    def detach(self) -> None:
        """Takes the hooks away; what was recorded stays."""
        handles, self._handles = self._handles, []
        for handle in handles:
            handle.remove()
        if handles:
            self._until = sequence_number()
        self._stack.clear()

    def covers(self, sequences: Iterable[int]) -> bool:
        """Whether any operation with these numbers ran inside or after a recorded module, before detach()."""
        first, until = (self._starts[0], self._until) if self._starts else (0, 0)
        if self._handles:
            until = sequence_number()
        return any(first <= sequence < until for sequence in sequences)

    def clear(self) -> None:
        """Forgets what was recorded."""
        self._stack.clear()
        self._starts.clear()
        self._marks.clear()

    def path_of(self, sequence: int) -> str:
        """Dotted path of the innermost module in which the operation with this number ran; "" outside any."""
        return self._mark(sequence)[0]

    def class_of(self, sequence: int) -> str:
        """Class name of that module; "" outside any."""
        return self._mark(sequence)[1]

    def inside(self, sequence: int) -> bool:
        """True when the operation ran within a module that has parameters (so not in a loss module)."""
        return self._mark(sequence)[2]

    def _mark(self, sequence: int) -> tuple[str, str, bool]:
        at = bisect_right(self._starts, sequence) - 1
        return self._marks[at] if at >= 0 else ("", "", False)

    def _enter(self, module: nn.Module, _: Any) -> None:
        if torch.compiler.is_compiling() or threading.get_ident() != self._thread:
            return  # in this order: the compiler folds the first test away and never sees the rest
        try:
            path = self._names(module)
            if not self._stack:
                self._outermost = weakref.ref(module)
            inside = self._stack[-1][3] if self._stack else False
            inside = inside or next(module.parameters(), None) is not None
            self._stack.append((id(module), path, type(module).__name__, inside))
            self._note()
        except Exception:
            self.clear()  # no paths at all are better than wrong ones

    def _leave(self, module: nn.Module, _: Any, __: Any) -> None:
        if torch.compiler.is_compiling() or threading.get_ident() != self._thread:
            return
        # A module that raised in an earlier pre-hook, or was entered before attach(), is not on the stack.
        depth = next((i for i in range(len(self._stack) - 1, -1, -1) if self._stack[i][0] == id(module)), None)
        if depth is not None:
            del self._stack[depth:]
            self._note()

    def _note(self) -> None:
        mark = (self.current, self._stack[-1][2], self._stack[-1][3]) if self._stack else ("", "", False)
        start = sequence_number()
        if self._starts and self._starts[-1] == start:
            self._marks[-1] = mark  # nothing ran since the last mark
        else:
            self._starts.append(start)
            self._marks.append(mark)
