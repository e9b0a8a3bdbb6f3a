"""Whether double precision fits: a check must not be what runs out of memory."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

#: The copy and its gradient, in float64.
_BYTES = 16
#: Of what is free; the user's own work beside the check needs some too.
_SHARE = 0.25


class TooLarge(BaseException):
    """Ends a forward pass in float64; no Exception, so that no handler of the user's takes it."""


def room(model: nn.Module, most: int | None = None) -> int:
    """Bytes that float64 may take for activations beside the copy of the model and its gradient; negative: none.

    ``most``: bytes for all of it together; None: what is free decides alone.
    """
    parameters = list(model.parameters())
    device = parameters[0].device if parameters else torch.device("cpu")
    share = int(_SHARE * free(device))
    return (share if most is None else min(share, most)) - _BYTES * sum(parameter.numel() for parameter in parameters)


def free(device: torch.device) -> int:
    """Free bytes on a device; 4 GiB where that cannot be told."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    found = [_available(), _limit("memory.max") - _limit("memory.current")]
    known = [number for number in found if number > 0]
    return min(known) if known else 4 * 2**30


@contextlib.contextmanager
def within(limit: int) -> Iterator[None]:
    """Raises TooLarge as soon as what a forward pass keeps for its backward exceeds ``limit`` bytes."""
    kept: set[int] = set()
    total = 0

    def pack(tensor: Tensor) -> Tensor:
        nonlocal total
        if tensor.layout == torch.strided and tensor.data_ptr() not in kept:
            kept.add(tensor.data_ptr())
            total += tensor.numel() * tensor.element_size()
        if total > limit:
            raise TooLarge
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        yield


def _available() -> int:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable")), 0)


def _limit(name: str) -> int:
    """A number of the control group that a container runs in; 0 where there is no limit."""
    try:
        return int(Path("/sys/fs/cgroup", name).read_text())
    except (OSError, ValueError):
        return 0
