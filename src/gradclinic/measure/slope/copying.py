"""A deep copy of a model, in double precision where asked for."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import UninitializedParameter

from gradclinic.measure.jacobian import NoProduct
from gradclinic.measure.jacobian.exceptions import in_one_line
from gradclinic.measure.jacobian.noise import Noise

from .widen import widened


class NoTwin(NoProduct):
    """The model cannot be copied, or its loss cannot be computed on the copy."""


def model_copy(model: nn.Module) -> nn.Module:
    """A deep copy; tensors with a graph that modules keep are copied without it.  Raises NoTwin where it cannot be."""
    if any(isinstance(module, torch.jit.ScriptModule) for module in model.modules()):
        raise NoTwin("a TorchScript module hides its tensors")
    if any(isinstance(parameter, UninitializedParameter) for parameter in model.parameters()):
        raise NoTwin("a lazy module has not run yet, so it has no parameters")
    memo: dict[int, Any] = {}
    for module in model.modules():
        for value in vars(module).values():
            if isinstance(value, Tensor) and value.grad_fn is not None:  # deepcopy refuses those
                memo[id(value)] = value.detach().clone()
    kept = Noise.now()
    try:
        return copy.deepcopy(model, memo)
    except Exception as error:  # whatever a module holds may refuse
        raise NoTwin(f"the model cannot be copied: {in_one_line(error)}") from error
    finally:
        kept.restore()


def widen(model: nn.Module) -> None:
    """Parameters, buffers and tensors in attributes to double precision, in place; what was tied stays tied."""
    done: dict[int, Tensor] = {}
    for parameter in model.parameters():
        parameter.data = widened(parameter.data)
    for module in model.modules():
        for space in (module._buffers, vars(module)):
            for name, value in list(space.items()):
                if isinstance(value, Tensor) and not isinstance(value, nn.Parameter):
                    space[name] = done.setdefault(id(value), widened(value))
