"""Sees every backward pass: its roots (the loss) before, the gradients after."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from .patching import Patches


class BackwardListener(Protocol):
    """What a monitor does around a backward pass.  None of these may raise."""

    def backward_begins(self, roots: Sequence[Tensor]) -> None: ...

    def backward_ends(self, roots: Sequence[Tensor], finished: bool) -> None: ...

    def gradients_taken(
        self, roots: Sequence[Tensor], inputs: Sequence[Tensor], gradients: Sequence[Tensor | None]
    ) -> None: ...


class BackwardWatch:
    """Wraps ``torch.autograd.backward`` (which ``Tensor.backward`` calls) and ``torch.autograd.grad``.

    Only the outermost call counts: reentrant checkpointing runs backward inside backward.
    """

    def __init__(self, listener: BackwardListener) -> None:
        self._listener = listener
        self._patches = Patches()
        self._local = threading.local()

    def attach(self) -> None:
        self._patches.wrap(torch.autograd, "backward", self._backward)
        self._patches.wrap(torch.autograd, "grad", self._grad)

    def detach(self) -> None:
        self._patches.undo()

    def _backward(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def backward(tensors: Any, *args: Any, **kwargs: Any) -> Any:
            if getattr(self._local, "inside", False) or torch.compiler.is_compiling():
                return original(tensors, *args, **kwargs)
            roots = _tensors(tensors)
            self._local.inside = True
            finished = False
            try:
                self._listener.backward_begins(roots)
                result = original(tensors, *args, **kwargs)
                finished = True
                return result
            finally:
                self._listener.backward_ends(roots, finished)
                self._local.inside = False

        return backward

    def _grad(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def grad(outputs: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
            result = original(outputs, inputs, *args, **kwargs)
            # A double backward (penalties, meta-learning) is a part of some loss, not a step of its own.
            inner = getattr(self._local, "inside", False) or torch.compiler.is_compiling()
            if not inner and not kwargs.get("create_graph") and not (len(args) > 2 and args[2]):
                self._listener.gradients_taken(_tensors(outputs), _tensors(inputs), tuple(result))
            return result

        return grad


def _tensors(value: Any) -> tuple[Tensor, ...]:
    if isinstance(value, Tensor):
        return (value,)
    return tuple(item for item in value if isinstance(item, Tensor))
