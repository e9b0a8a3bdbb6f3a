"""Lets a model that asks for float32 somewhere run in float64 all the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map

WIDE = {
    torch.float16: torch.float64,
    torch.bfloat16: torch.float64,
    torch.float32: torch.float64,
    torch.complex32: torch.complex128,
    torch.complex64: torch.complex128,
}
_TO_REAL = (Tensor.float, Tensor.half, Tensor.bfloat16)


def widened(tensor: Tensor) -> Tensor:
    """``tensor`` in double precision; itself where it has no narrower one."""
    return tensor.to(WIDE[tensor.dtype]) if tensor.dtype in WIDE else tensor


class Widen(TorchFunctionMode):
    """Answers each request for a narrower precision with float64, and mixes of the two in float64.

    ``x.float()``, ``x.to(torch.float32)`` and ``dtype=torch.float32`` give float64; an operation that torch refuses
    because a tensor from outside the model (class weights, a teacher) is narrower is done in float64.
    """

    def __torch_function__(
        self, func: Any, types: Sequence[type], args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        if func in _TO_REAL:
            return args[0].to(torch.float64)
        args = tuple(_wide_dtype(arg) for arg in args)
        kwargs = {name: _wide_dtype(value) for name, value in (kwargs or {}).items()}
        try:
            return func(*args, **kwargs)
        except RuntimeError:
            if not _mixed((args, kwargs)):
                raise
            args, kwargs = tree_map(lambda leaf: widened(leaf) if isinstance(leaf, Tensor) else leaf, (args, kwargs))
            return func(*args, **kwargs)


def _wide_dtype(value: Any) -> Any:
    return WIDE.get(value, value) if isinstance(value, torch.dtype) else value


def _mixed(values: Any) -> bool:
    kinds = {leaf.dtype in WIDE for leaf in tree_leaves(values) if isinstance(leaf, Tensor) and _inexact(leaf)}
    return len(kinds) == 2


def _inexact(tensor: Tensor) -> bool:
    return tensor.is_floating_point() or tensor.is_complex()
