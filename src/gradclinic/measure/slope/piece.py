"""Modules, what is done with their outputs, and the loss's own code, each checked by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from gradclinic.measure.gradcheck import GradCheck
from gradclinic.measure.jacobian import split
from gradclinic.measure.jacobian.flat import Layout
from gradclinic.measure.jacobian.tree import cloned, floating

from .bridge import check_part
from .calls import ModuleCall
from .twin import Twin


def check_module(twin: Twin, call: ModuleCall, *, seconds: float, seed: int) -> tuple[GradCheck, list[str]]:
    """A module's gradient towards each input, and towards all its parameters together; what the inputs are called."""
    inputs, rebuild = floating((call.args, call.kwargs))
    places = {id(own): place for place, own in enumerate(twin.parameters)}
    parameters = [places[id(own)] for own in call.module.parameters() if id(own) in places]

    def part(leaves: Sequence[Tensor]) -> list[Tensor]:
        filled = [tensor.detach().clone() for tensor in inputs]
        for place, leaf in zip(call.varied, leaves, strict=True):
            filled[place] = leaf
        args, kwargs = rebuild(filled)
        return call.outputs(call.module(*args, **kwargs))

    check = check_part(twin, part, [inputs[place] for place in call.varied], parameters, seconds=seconds, seed=seed)
    return check, [f"input {place}" for place in call.varied] + ["parameters"] * bool(parameters)


def check_output(twin: Twin, outer: ModuleCall, inner: ModuleCall, *, seconds: float, seed: int) -> GradCheck:
    """What ``outer`` does with the output of ``inner``."""
    layouts: list[Layout] = []

    def run(hook: Any) -> list[Tensor]:
        handle = inner.module.register_forward_hook(hook)
        try:
            return outer.outputs(outer.module(*cloned(outer.args), **cloned(dict(outer.kwargs))))
        finally:
            handle.remove()

    twin.run(lambda: run(lambda module, args, output: layouts.append(Layout.of(floating(output)[0]))))

    def part(leaves: Sequence[Tensor]) -> list[Tensor]:
        def add(module: Any, args: Any, output: Any) -> Any:
            tensors, rebuild = floating(output)
            if tuple(tensor.shape for tensor in tensors) != layouts[0].shapes:
                return output  # another call of it, of another kind
            return rebuild([a + b for a, b in zip(tensors, layouts[0].split(leaves[0]), strict=True)])

        return run(add)

    start = torch.zeros(layouts[0].size, dtype=torch.float64, device=layouts[0].home)
    return check_part(twin, part, [start], seconds=seconds, seed=seed)


def check_closure(twin: Twin, *, seconds: float, seed: int) -> GradCheck:
    """What the loss itself computes from the model's outputs.  Raises NoSplit where it cannot be told apart."""
    found = twin.run(lambda: split(twin.model, lambda model, batch: twin.closure(), None, seed=seed))
    outputs = twin.run(lambda: found.outputs(found.parameters).detach())
    return check_part(twin, lambda leaves: [found.loss_of(leaves[0])], [outputs], seconds=seconds, seed=seed)
