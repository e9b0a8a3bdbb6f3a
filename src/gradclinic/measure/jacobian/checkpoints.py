"""Reentrant checkpoints, which refuse all but ``.backward()``, run as torch's other kind."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves


class _NotReentrant:
    """Stands in for ``torch.utils.checkpoint.CheckpointFunction``."""

    @staticmethod
    def apply(run: Callable[..., Any], preserve: bool, *args: Any) -> Any:
        from torch.utils.checkpoint import checkpoint

        if any(isinstance(leaf, Tensor) and leaf.requires_grad for leaf in tree_leaves(args)):
            return checkpoint(run, *args, use_reentrant=False, preserve_rng_state=preserve)
        # Where no input wants a gradient, the reentrant kind gives none to what it computes, parameters or not.
        with torch.no_grad():
            return run(*args)


@contextlib.contextmanager
def without_reentry() -> Iterator[None]:
    """Inside, ``checkpoint(..., use_reentrant=True)`` gives the same values and gradients, and products of any kind."""
    module: Any = sys.modules.get("torch.utils.checkpoint")
    if module is None:  # nobody uses it
        yield
        return
    kept, module.CheckpointFunction = module.CheckpointFunction, _NotReentrant
    try:
        yield
    finally:
        module.CheckpointFunction = kept
