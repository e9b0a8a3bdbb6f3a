"""The size of the signal and of its gradient, layer by layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn


def deltas(model: nn.Sequential, x: Tensor, loss: Callable[[Tensor], Tensor], kind: type[nn.Module]) -> list[float]:
    """Norms of ∂loss/∂(what each module of ``kind`` is given), in order.

    δ at the preactivations, for activations: it says what becomes of the gradient, which weight gradients do not.
    """
    seen: list[Tensor] = []
    for layer in model:
        if isinstance(layer, kind):
            x.retain_grad() if x.requires_grad else x.requires_grad_()
            seen.append(x)
        x = layer(x)
    torch.autograd.backward(loss(x))
    return [float(h.grad.norm()) if h.grad is not None else 0.0 for h in seen]


def per_layer(sizes: Sequence[float]) -> float:
    """The factor per layer on the way back, between the ends: (first / last)^(1/layers)."""
    return (sizes[0] / sizes[-1]) ** (1 / (len(sizes) - 1)) if sizes[0] > 0 and sizes[-1] > 0 else 0.0
