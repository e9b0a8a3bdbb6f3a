"""The random generators that a model keeps for itself."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import nn


@contextlib.contextmanager
def same_generators(model: nn.Module) -> Iterator[None]:
    """Puts back the state of every generator that is an attribute of a module."""
    kept = [(value, _state(value)) for module in model.modules() for value in vars(module).values() if _known(value)]
    try:
        yield
    finally:
        for generator, state in kept:
            _restore(generator, state)


def _known(value: Any) -> bool:
    return isinstance(value, (torch.Generator, np.random.Generator, np.random.RandomState, random.Random))


def _state(generator: Any) -> Any:
    if isinstance(generator, np.random.Generator):
        return generator.bit_generator.state
    return generator.getstate() if isinstance(generator, random.Random) else generator.get_state()


def _restore(generator: Any, state: Any) -> None:
    if isinstance(generator, np.random.Generator):
        generator.bit_generator.state = state
    elif isinstance(generator, random.Random):
        generator.setstate(state)
    else:
        generator.set_state(state)
