"""Knows whether torch.compile is at work, inside which nothing can be hooked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from .patching import Patches


class CompileWatch:
    """Notices ``torch.compile`` and ``Module.compile`` before anything is traced."""

    def __init__(self, noticed: Callable[[str], None]) -> None:
        self._noticed = noticed
        self._patches = Patches()

    def attach(self) -> None:
        for owner in (torch, nn.Module):
            self._patches.wrap(owner, "compile", self._wrap)

    def detach(self) -> None:
        self._patches.undo()

    def _wrap(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def compile_(*args: Any, **kwargs: Any) -> Any:
            if not kwargs.get("disable"):
                what = args[0] if args else None
                self._noticed(getattr(what, "__name__", None) or type(what).__name__)
            return original(*args, **kwargs)

        return compile_


def is_compiled(module: nn.Module) -> bool:
    """Whether a module was wrapped or marked by ``torch.compile``."""
    return type(module).__name__ == "OptimizedModule" or getattr(module, "_compiled_call_impl", None) is not None
