"""Tasks spread over processes of one thread each."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

import torch


def spread(measure: Callable[[str, Path], str], names: Sequence[str], folder: Path, jobs: int) -> None:
    """``measure(name, folder)`` of each; what it returns is told.  One that fails is told too, and stops no other."""
    # A fresh interpreter: what a fork inherits of torch's threads is not safe to use.
    context = get_context("spawn")
    with ProcessPoolExecutor(jobs, context, torch.set_num_threads, (1,)) as pool:
        waiting = {pool.submit(measure, name, folder): name for name in names}
        for place, done in enumerate(as_completed(waiting), start=1):
            error = done.exception()
            said = done.result() if error is None else f"{waiting[done]}: {type(error).__name__}: {error}"
            sys.stderr.write(f"{place} of {len(names)}: {said}\n")
