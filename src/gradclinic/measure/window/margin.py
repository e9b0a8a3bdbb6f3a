"""How far a training is from the limit of its optimizer's stability, at the weights and the state that it has now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from gradclinic.measure.jacobian import largest_curvature, split

from .ends import PRODUCTS, in_order
from .settle import settled


def stability_margin(
    model: nn.Module,
    loss: Callable[[nn.Module, Any], Tensor],
    optimizer: Optimizer,
    batches: Sequence[Any],
    *,
    seed: int = 0,
) -> float:
    """limit / (lr·λ_max): by how much the learning rate could be multiplied before the limit of stability.

    λ_max is that of P^½ G P^½, with P the optimizer's preconditioner as its state has it, G the Gauss-Newton matrix of
    the mean loss over ``batches``; the limit is 2 for gradient descent, 2(1+β)/(1-β) for Adam and so on
    (:data:`~gradclinic.measure.optimizers.RULES`).  Below 1 the training is beyond it, near 1 at the edge of stability
    (Cohen et al. 2021, arXiv:2103.00065; 2022, arXiv:2207.14484).  inf where nothing bends, or the rate is 0.
    Costs about nine gradients of each batch.  Model, optimizer and generators are left as they were.

    Raises NotApplicable for an optimizer without a fixed diagonal preconditioner, and NoProduct where the loss cannot
    be taken apart or has no second derivative.
    """
    rates = [float(group["lr"]) for group in optimizer.param_groups]
    if not max(rates) > 0:
        return inf
    held = settled(model, optimizer, rates)

    def mean(model: nn.Module, batches: Sequence[Any]) -> Tensor:
        losses = [loss(model, batch) for batch in batches]
        return torch.stack([each.reshape(()) for each in losses]).mean()

    found = split(model, mean, list(batches), seed=seed, trusted=True)
    generator = torch.Generator().manual_seed(seed)
    curvature = largest_curvature(found, in_order(found, held), maximum=PRODUCTS, generator=generator, lean=True)
    return held.limit / (held.lr * curvature.value) if curvature.value > 0 else inf
