"""Memory that a part of the check-up has used, given back before the next part begins."""

from __future__ import annotations

import ctypes
import gc
import mmap
import sys
from pathlib import Path

import torch

#: Bytes that are left alone: looking for cycles takes a tenth of a second, with all that torch has loaded.
LITTLE = 64 << 20


def resident() -> int:
    """Bytes of this process in memory; 0 where that cannot be told."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * mmap.PAGESIZE


def give_back(beyond: int) -> None:
    """Where the process has grown ``beyond`` so many bytes and :data:`LITTLE` more, or a GPU is in use.

    Frees what only cycles of references hold, and returns free pages to the operating system.  A graph that an
    exception's traceback holds would live until Python looks for cycles by itself; and glibc keeps freed blocks of up
    to 32 MiB for itself, in the sizes of the last part, which are not those of the next.
    """
    if resident() < beyond + LITTLE and not torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        return
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # other C libraries have none
        if trim is not None:
            trim(0)
