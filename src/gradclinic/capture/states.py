"""Notices an optimizer that keeps what it remembers in a format too coarse for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

#: Steps of an optimizer after which its memory is looked at, once: a moment has begun, and nothing has gone wrong yet.
LOOKED_AT = 3
#: Formats in which the square of a small gradient may be nothing.
COARSE = (torch.float16, torch.bfloat16)


def coarse_state(optimizer: Optimizer, tensors: Sequence[Tensor | None]) -> dict[str, Any] | None:
    """``{"state", "dtype", "zero_share"}`` of the memory with most zeros where there is a gradient; None without one.

    Only what lies on the host is read: no synchronisation.
    """
    zeros: dict[tuple[str, str], int] = {}
    counts: dict[tuple[str, str], int] = {}
    for tensor in tensors:
        gradient = None if tensor is None else tensor.grad
        if tensor is None or gradient is None or gradient.is_sparse or gradient.device.type != "cpu":
            continue
        for name, kept in optimizer.state.get(tensor, {}).items():
            if not isinstance(kept, Tensor) or kept.dtype not in COARSE or kept.shape != gradient.shape:
                continue
            key = (str(name), str(kept.dtype).removeprefix("torch."))
            there = gradient != 0
            counts[key] = counts.get(key, 0) + int(there.sum())
            zeros[key] = zeros.get(key, 0) + int(((kept == 0) & there).sum())
    shares = {key: zeros[key] / count for key, count in counts.items() if count}
    if not shares:
        return None
    worst = max(shares, key=lambda key: shares[key])
    return {"state": worst[0], "dtype": worst[1], "zero_share": shares[worst]}
