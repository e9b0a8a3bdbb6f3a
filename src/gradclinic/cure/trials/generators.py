"""The generators of Python, numpy and torch, kept apart for trials that take turns."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch


class Generators:
    """What one trial draws from; while it has its turn, the process's generators are its own."""

    def __init__(self) -> None:
        self._state: Any = None

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Goes on where the last turn ended; the first one where the process is."""
        others = _state()
        if self._state is not None:
            _set(self._state)
        try:
            yield
        finally:
            self._state = _state()
            _set(others)


@contextmanager
def unchanged() -> Iterator[None]:
    """Whatever is drawn inside is drawn again afterwards."""
    before = _state()
    try:
        yield
    finally:
        _set(before)


def _state() -> tuple[Any, ...]:
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else None  # type: ignore[no-untyped-call]
    return random.getstate(), np.random.get_state(), torch.get_rng_state(), torch.initial_seed(), cuda


def _set(state: tuple[Any, ...]) -> None:
    python, numpy, own, _, cuda = state
    random.setstate(python)
    np.random.set_state(numpy)
    torch.set_rng_state(own)
    if cuda is not None:
        torch.cuda.set_rng_state_all(cuda)
