"""Copies of a batch: the user's own is never handed to anything."""

from __future__ import annotations

import contextlib
import copy
from typing import Any

from torch import Tensor
from torch.utils._pytree import tree_map

from gradclinic.measure.jacobian.tree import cloned, floating

from .widen import widened


def copied(batch: Any) -> Any:
    """A copy: tensors as leaves, other objects as far as they can be copied."""
    return tree_map(lambda leaf: leaf if isinstance(leaf, Tensor) else _deep(leaf), cloned(batch))


def in_double(batch: Any) -> Any:
    """A copy with its floating tensors in double precision; those inside unknown objects stay as they are."""
    tensors, rebuild = floating(copied(batch))
    return rebuild([widened(tensor.detach()).requires_grad_(tensor.requires_grad) for tensor in tensors])


def _deep(leaf: Any) -> Any:
    with contextlib.suppress(Exception):  # an open file, a lock, a generator: handed over as it is
        return copy.deepcopy(leaf)
    return leaf
