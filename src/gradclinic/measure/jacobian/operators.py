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


def drawn(size: int, generator: torch.Generator, device: torch.device) -> Tensor:
    """A standard normal vector (size,), float64.  Drawn on the CPU, so that it is the same on every device."""
    return torch.randn(size, dtype=torch.float64, generator=generator).to(device)


def seeded(generator: torch.Generator | None) -> torch.Generator:
    """``generator``, or one of our own: torch's global one belongs to the user."""
    return generator if generator is not None else torch.Generator().manual_seed(0)
