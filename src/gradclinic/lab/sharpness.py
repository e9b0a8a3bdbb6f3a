"""The largest eigenvalue of a loss's curvature, by power iteration."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

#: Power iteration converges like (λ₂/λ₁)²ⁿ; from the last vector some ten steps follow a slowly changing curvature.
STEPS = 12


class Sharpness:
    """λ_max of P^½ H P^½, followed through a training: each search begins with the vector of the one before."""

    def __init__(self, parameters: Sequence[Tensor]) -> None:
        self._parameters = list(parameters)
        self._vector = [torch.randn_like(p) for p in self._parameters]

    def __call__(self, loss: Callable[[], Tensor], scales: Sequence[Tensor] | None = None) -> float:
        """λ_max at the current weights.  ``scales``: the diagonal P, shaped like the parameters; or the identity."""
        roots = [torch.ones_like(p) for p in self._parameters] if scales is None else [s.sqrt() for s in scales]
        slopes = torch.autograd.grad(loss(), self._parameters, create_graph=True)
        value = 0.0
        for _ in range(STEPS):
            size = torch.sqrt(sum((v.square().sum() for v in self._vector), torch.zeros(())))
            unit = [v / size for v in self._vector]
            pushed = [root * u for root, u in zip(roots, unit, strict=True)]
            images = torch.autograd.grad(slopes, self._parameters, pushed, retain_graph=True)
            self._vector = [root * image for root, image in zip(roots, images, strict=True)]
            value = float(sum((a * b).sum() for a, b in zip(unit, self._vector, strict=True)))
        return value
