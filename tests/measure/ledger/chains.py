"""Networks and helpers that the ledger's tests share."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from gradclinic.measure.ledger import Scopes, open_ledger
from gradclinic.schema.ledger import Ledger


def chain(activation: Callable[[], nn.Module], gain: float, depth: int = 30, width: int = 256) -> nn.Sequential:
    """``depth`` layers with N(0, gain²/fan_in) weights, and a head of 10."""
    layers: list[nn.Module] = []
    for i in range(depth + 1):
        linear = nn.Linear(64 if i == 0 else width, 10 if i == depth else width)
        nn.init.normal_(linear.weight, 0, gain / math.sqrt(linear.in_features))
        nn.init.zeros_(linear.bias)
        layers += [linear, activation()] if i < depth else [linear]
    return nn.Sequential(*layers)


def account_of(model: nn.Module, loss: Callable[[], Tensor], with_scopes: bool = True) -> Ledger:
    """The account of ``loss()``'s backward pass, with module paths or without."""
    modules = {module: name for name, module in model.named_modules()}
    parameters = {id(parameter): name for name, parameter in model.named_parameters()}
    scopes = Scopes(modules.get) if with_scopes else None
    if scopes is not None:
        scopes.attach()
    try:
        value = loss()
    finally:
        if scopes is not None:
            scopes.detach()
    ledger = open_ledger([value], scopes=scopes, names=lambda tensor: parameters.get(id(tensor)))
    try:
        value.backward()
    finally:
        found = ledger.close()
    return found


def entry_of(ledger: Ledger, op: str, module: str | None = None):
    """The only entry of an operation (in a module)."""
    (found,) = [e for e in ledger.entries if e.op == op and module in (None, e.module)]
    return found


def total_norm(tensor: Tensor) -> float:
    return float(torch.linalg.vector_norm(tensor.detach().double()))
