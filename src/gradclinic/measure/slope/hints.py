"""What in the user's code may cut or change a gradient."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

_TORCH = str(Path(torch.__file__).parent)
_OWN = str(Path(__file__).parents[2])
#: Frames of ``with`` blocks: whose block it is stands behind them.
_BETWEEN = contextlib.__file__
_NAMES = {
    Tensor.detach: "detach()",
    Tensor.detach_: "detach_()",
    Tensor.item: "item()",
    Tensor.tolist: "tolist()",
    Tensor.numpy: "numpy()",
    Tensor.register_hook: "register_hook()",
}


class Hints(TorchFunctionMode):
    """Notes where in the user's code gradients are cut or changed by something else than a function's backward."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, None] = {}
        self.hooked = False  #: a tensor got a gradient hook

    def __torch_function__(
        self, func: Any, types: Sequence[type], args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        name = _name(func, args)
        if name:
            place = _user_frame(sys._getframe(1))
            if place:
                self.found[f"{name} at {place}"] = None
                self.hooked |= func is Tensor.register_hook
        return func(*args, **(kwargs or {}))


def _name(func: Any, args: tuple[Any, ...]) -> str:
    if func is torch._C._set_grad_enabled:
        return "no_grad" if args and args[0] is False else ""
    if getattr(func, "__self__", None) is Tensor.data:
        return ".data"
    try:
        return _NAMES.get(func, "")
    except TypeError:  # not hashable
        return ""


def _user_frame(frame: FrameType | None) -> str:
    """File and line of the innermost frame that is not torch's; "" where that is gradclinic's."""
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith(_OWN):
            return ""
        if not file.startswith((_TORCH, _BETWEEN, "<")):
            return f"{file}:{frame.f_lineno}"
        frame = frame.f_back
    return ""
