"""All ranks of a distributed training decide together."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import distributed


def world() -> int:
    """How many ranks train together; 1 where torch.distributed is not in use."""
    if not (distributed.is_available() and distributed.is_initialized()):
        return 1
    return distributed.get_world_size()


def mean_over_ranks(numbers: Sequence[float]) -> list[float]:
    """The mean of each number over all ranks, the same to the bit on each; every rank must call it.

    One all_reduce of a few float64.  Replicas of a gradient have the same norm, and so its mean; shards have a part
    each, and the mean of their squares is the whole over the number of ranks: the same constant at every step, which
    neither a z-score nor a ratio knows of.
    """
    size = world()
    if size == 1:
        return list(numbers)
    # A gloo group takes tensors of the host, NCCL those of its device only.
    device = "cuda" if "nccl" in str(distributed.get_backend()) else "cpu"
    sums = torch.tensor(numbers, dtype=torch.float64, device=device)
    distributed.all_reduce(sums)
    return [float(number) / size for number in sums.tolist()]
