"""The state of every random generator that a forward pass may draw from."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Noise:
    """States of the generators of Python, numpy, torch on the CPU and torch on each CUDA device."""

    python: Any
    numpy: Any
    cpu: Tensor
    cuda: tuple[Tensor, ...]

    @classmethod
    def now(cls) -> Noise:
        # Asking for the states would start CUDA for nothing.
        cuda = tuple(torch.cuda.get_rng_state_all()) if _cuda_runs() else ()
        return cls(random.getstate(), np.random.get_state(), torch.get_rng_state(), cuda)

    def restore(self) -> None:
        random.setstate(self.python)
        np.random.set_state(self.numpy)
        torch.set_rng_state(self.cpu)
        if self.cuda:
            torch.cuda.set_rng_state_all(self.cuda)


def _cuda_runs() -> bool:
    return bool(torch.cuda.is_initialized())  # type: ignore[no-untyped-call]


@contextlib.contextmanager
def same_noise(seed: int) -> Iterator[None]:
    """The same random numbers each time; the generators are afterwards as they were."""
    kept = Noise.now()
    random.seed(seed)
    np.random.seed(seed)
    # Not torch.manual_seed: it also seeds devices whose state was not kept.
    torch.default_generator.manual_seed(seed)
    if kept.cuda:
        torch.cuda.manual_seed_all(seed)
    try:
        yield
    finally:
        kept.restore()
