"""Orthonormal vectors, kept orthonormal."""

from __future__ import annotations

import torch
from torch import Tensor

from .operators import drawn

#: A vector this much shorter than the operator is large is rounding in float64, not a direction.
ROUNDING = 1e-14


class Basis:
    """Orthonormal vectors of ``size``, float64; a growing matrix of up to 8 bytes x size x their number."""

    def __init__(self, size: int, device: torch.device, generator: torch.Generator) -> None:
        self._rows = torch.empty(0, size, dtype=torch.float64, device=device)
        self._count = 0
        self._generator = generator

    @property
    def full(self) -> bool:
        """Whether it spans the whole space."""
        return self._count == self._rows.shape[1]

    def append(self, vector: Tensor) -> None:
        if self._count == len(self._rows):
            more = max(8, self._count)
            self._rows = torch.cat([self._rows, self._rows.new_empty(more, self._rows.shape[1])])
        self._rows[self._count] = vector
        self._count += 1

    def cleaned(self, vector: Tensor) -> Tensor:
        """What of ``vector`` is at right angles to all."""
        rows = self._rows[: self._count]
        # Once loses orthogonality where little is left; "twice is enough" (Giraud, Langou, Rozloznik 2005).
        for _ in range(2):
            vector = vector - rows.T @ (rows @ vector)
        return vector

    def combined(self, weights: Tensor) -> Tensor:
        """The sum of the vectors, (size,), each times its weight."""
        return self._rows[: self._count].T @ weights.to(self._rows)

    def fresh(self) -> Tensor:
        """A random unit vector at right angles to all; there must be room for one."""
        vector = self.cleaned(drawn(self._rows.shape[1], self._generator, self._rows.device))
        return vector / float(torch.linalg.vector_norm(vector))

    def next(self, vector: Tensor, scale: float) -> tuple[Tensor, float]:
        """The unit vector of what ``vector`` adds to the basis, and its length.

        Where it adds nothing (shorter than rounding at ``scale``) a fresh direction with length 0, so that a
        repeated or vanished value does not end the search; zeros where the basis is full.
        """
        if self.full:
            return torch.zeros_like(vector), 0.0
        rest = self.cleaned(vector)
        length = float(torch.linalg.vector_norm(rest))
        if length <= ROUNDING * scale:
            return self.fresh(), 0.0
        return rest / length, length
