"""Linear operators that are known by their products only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

CPU = torch.device("cpu")


class Operator(Protocol):
    """A rows x columns matrix A.  Vectors are flat, float64, on ``device``."""

    @property
    def rows(self) -> int: ...

    @property
    def columns(self) -> int: ...

    @property
    def device(self) -> torch.device: ...

    def times(self, vector: Tensor) -> Tensor:
        """A v: (columns,) → (rows,)."""
        ...

    def adjoint(self, vector: Tensor) -> Tensor:
        """Aᵀ u: (rows,) → (columns,)."""
        ...


@dataclass(frozen=True, slots=True)
class Products:
    """An :class:`Operator` from two functions."""

    rows: int
    columns: int
    times: Callable[[Tensor], Tensor]
    adjoint: Callable[[Tensor], Tensor]
    device: torch.device = CPU


@dataclass(frozen=True, slots=True)
class Symmetric:
    """A symmetric size x size matrix S: ``times`` maps v to S v, both (size,), of ``dtype``, on ``device``."""

    size: int
    times: Callable[[Tensor], Tensor]
    device: torch.device = CPU
    dtype: torch.dtype = torch.float64


def transposed(operator: Operator) -> Products:
    """Aᵀ."""
    return Products(operator.columns, operator.rows, operator.adjoint, operator.times, operator.device)


#: Numbers drawn at a time.  A multiple of 16, which torch draws together, so that the parts are those of the whole.
BLOCK = 1 << 20


def drawn(size: int, generator: torch.Generator, device: torch.device, dtype: torch.dtype = torch.float64) -> Tensor:
    """A standard normal vector (size,) of ``dtype``.  Drawn on the CPU in float64: the same on every device.

    In blocks, so that a vector in float32 is never there in float64 as well.
    """
    vector = torch.empty(size, dtype=dtype, device=device)
    # The last block is the longer one: torch draws fewer than 16 numbers in another way.
    starts = list(range(0, max(size - BLOCK, 0) + 1, BLOCK))
    for start, end in zip(starts, [*starts[1:], size], strict=True):
        vector[start:end] = torch.randn(end - start, dtype=torch.float64, generator=generator)
    return vector


def seeded(generator: torch.Generator | None) -> torch.Generator:
    """``generator``, or one of our own: torch's global one belongs to the user."""
    return generator if generator is not None else torch.Generator().manual_seed(0)
