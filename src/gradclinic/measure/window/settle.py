"""The optimizer's preconditioner at the initial weights, from a few gradients and no step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from gradclinic.measure.optimizers import gains, limits, preconditioner, rule_of


@dataclass(frozen=True, slots=True)
class Settled:
    """What the optimizer makes of gradients at the initial weights, relative to the largest learning rate.

    A step at the learning rate ``lr`` moves the weights by -lr·``rates``·P·g to first order, tensor by tensor.
    """

    #: P times the group's share of the learning rate, by the names of the parameters that want a gradient and that the
    #: optimizer holds.
    diagonal: dict[str, Tensor]
    gain: float  #: how far one gradient carries, through momentum
    limit: float  #: of lr·λ_max(P·H); the smallest over the groups
    lr: float  #: the largest learning rate of the groups


def settle(
    model: nn.Module,
    loss: Callable[[nn.Module, Any], Tensor],
    make_optimizer: Callable[[Any], Optimizer],
    batches: Iterable[Any],
) -> Settled:
    """Lets the user's own optimizer see the gradients of some batches, with every learning rate and decay at 0.

    ``model`` is changed in nothing but its buffers and ``.grad``: give a copy.  Raises NotApplicable for an optimizer
    without a fixed diagonal preconditioner, ValueError where there is no batch or no learning rate, and whatever the
    user's functions raise.
    """
    optimizer = make_optimizer(model.parameters())
    rule_of(optimizer)
    rates = [float(group["lr"]) for group in optimizer.param_groups]
    highest = max(rates, default=0.0)
    if not highest > 0:
        raise ValueError("the optimizer's learning rate is 0")
    for group in optimizer.param_groups:
        group["lr"] = torch.zeros_like(group["lr"]) if isinstance(group["lr"], Tensor) else 0.0
        if "weight_decay" in group:
            group["weight_decay"] = 0.0
    seen = 0
    for batch in batches:
        optimizer.zero_grad()
        torch.autograd.backward(loss(model, batch))
        optimizer.step()
        seen += 1
    optimizer.zero_grad()
    if not seen:
        raise ValueError("there is no batch")
    return settled(model, optimizer, rates)


def settled(model: nn.Module, optimizer: Optimizer, rates: Sequence[float]) -> Settled:
    """What ``optimizer`` makes of gradients as its state is now; ``rates``: of its groups, the highest above 0.

    Raises NotApplicable for an optimizer without a fixed diagonal preconditioner.
    """
    found, highest = preconditioner(optimizer), max(rates)
    shares = _shares(optimizer, rates, highest)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    diagonal = {names[id(p)]: own.detach() * shares[p] for p, own in found.items() if id(p) in names}
    return Settled(diagonal, max(gains(optimizer)), min(limits(optimizer)), highest)


def _shares(optimizer: Optimizer, rates: Sequence[float], highest: float) -> dict[Tensor, float]:
    pairs = zip(optimizer.param_groups, rates, strict=True)
    return {parameter: rate / highest for group, rate in pairs for parameter in group["params"]}
