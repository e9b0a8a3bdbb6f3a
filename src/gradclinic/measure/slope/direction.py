"""Directions in the space of all trainable parameters, made anew whenever they are needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import torch
from torch import Tensor

from .twin import Move, Twin


@dataclass(frozen=True, slots=True)
class Random:
    """Normal numbers times each parameter's root mean square: every tensor moves by the same fraction of itself.

    ``only``: the places that move; None for all.  Nothing is stored, the numbers follow from the seed.
    """

    twin: Twin
    seed: int
    only: frozenset[int] | None = None
    scale: float = 1.0

    def __call__(self, place: int) -> Tensor | None:
        if self.only is not None and place not in self.only:
            return None
        parameter = self.twin.parameters[place]
        generator = torch.Generator(parameter.device).manual_seed((self.seed << 20) + place)
        shape = (*parameter.shape, 2) if parameter.is_complex() else parameter.shape
        dtype = parameter.real.dtype if parameter.is_complex() else parameter.dtype
        drawn = torch.randn(shape, generator=generator, dtype=dtype, device=parameter.device)
        return (torch.view_as_complex(drawn) if parameter.is_complex() else drawn) * (
            self.scale * self.twin.sizes[place]
        )


@dataclass(frozen=True, slots=True)
class Uphill:
    """The gradient itself, scaled so that no tensor moves by more than its own size."""

    gradient: Sequence[Tensor | None]
    scale: float

    @classmethod
    def of(cls, gradient: Sequence[Tensor | None], twin: Twin) -> Uphill | None:
        """None where the gradient is zero everywhere."""
        shares = [
            float(torch.linalg.vector_norm(_dense(own))) / (size * sqrt(own.numel()))
            for own, size in zip(gradient, twin.sizes, strict=True)
            if own is not None and own.numel()
        ]
        largest = max(shares, default=0.0)
        return cls(gradient, 1 / largest) if largest > 0 else None

    def __call__(self, place: int) -> Tensor | None:
        own = self.gradient[place]
        return None if own is None else _dense(own) * self.scale


def inner(gradient: Sequence[Tensor | None], direction: Move) -> float:
    """<gradient, direction>, summed in float64; a complex element counts as two real ones."""
    total = 0.0
    for place, own in enumerate(gradient):
        along = direction(place) if own is not None else None
        if own is not None and along is not None:
            total += float(_product(_dense(own), along))
    return total


def _product(a: Tensor, b: Tensor) -> Tensor:
    if a.is_complex():
        a, b = torch.view_as_real(a.resolve_conj()), torch.view_as_real(b.resolve_conj())
    return (a.to(torch.float64) * b.to(torch.float64)).sum()


def _dense(gradient: Tensor) -> Tensor:
    return gradient.to_dense() if gradient.layout != torch.strided else gradient
