"""Which modules a loss calls with what, and which hand-written functions run inside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import Node

from gradclinic.measure.jacobian.tree import cloned, floating

from .nodes import hand_written
from .pull import gradient_of
from .twin import Twin


@dataclass(frozen=True, slots=True)
class ModuleCall:
    """One call of a module; the arguments are copies."""

    path: str  #: "" is the model itself
    module: nn.Module
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    varied: tuple[int, ...]  #: which of the floating tensors among the arguments take part in the gradient
    chosen: tuple[int, ...]  #: which of the floating outputs do; all where none does

    def outputs(self, returned: Any) -> list[Tensor]:
        """Those that take part in the gradient, out of what a call returned."""
        tensors = floating(returned)[0]
        return [tensors[place] for place in self.chosen if place < len(tensors)]


@dataclass(slots=True)
class Calls:
    """What one evaluation of a loss called."""

    made: list[ModuleCall] = field(default_factory=list)  #: the first call of each module, inner ones first
    #: Each hand-written function, and the innermost module that applied it; None: the loss's own code.
    functions: dict[type, str | None] = field(default_factory=dict)


def record(twin: Twin) -> Calls:
    """Evaluates the loss once and notes the first call of each of the model's modules.

    With the backward pass: what a reentrant checkpoint computes has a graph only there.
    """
    found = Calls()
    names = {module: name for name, module in twin.model.named_modules()}
    stack: list[tuple[nn.Module, tuple[Any, Any] | None]] = []
    seen: set[Node] = set()

    def place(value: Any) -> None:
        """Functions between here and what was seen before belong to the module that is running."""
        where = names[stack[-1][0]] if stack else None
        for function in hand_written(floating(value)[0], seen):
            found.functions.setdefault(function, where)

    def enter(module: nn.Module, args: Any, kwargs: Any) -> None:
        place((args, kwargs))
        new = not any(call.module is module for call in found.made)
        stack.append((module, (cloned(args), cloned(kwargs)) if new else None))

    def leave(module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        place(output)
        _, kept = stack.pop()
        if kept is None or any(call.module is module for call in found.made):
            return
        graded = torch.is_grad_enabled()
        inputs, outputs = floating((args, kwargs))[0], floating(output)[0]
        varied = tuple(i for i, tensor in enumerate(inputs) if tensor.requires_grad or not graded)
        chosen = tuple(i for i, tensor in enumerate(outputs) if tensor.requires_grad)
        args, kwargs = kept
        found.made.append(ModuleCall(names[module], module, args, kwargs, varied, chosen or tuple(range(len(outputs)))))

    def both() -> None:
        loss = twin.closure()
        place(loss)
        gradient_of(loss.real, twin.parameters)

    handles = []
    for module in twin.model.modules():
        handles.append(module.register_forward_pre_hook(enter, with_kwargs=True))
        # Also where a checkpoint's second run is broken off in the middle, so that the stack stays right.
        handles.append(module.register_forward_hook(leave, with_kwargs=True, always_call=True))
    try:
        twin.run(both)
    finally:
        for handle in handles:
            handle.remove()
    return found


def written_here(module: nn.Module) -> bool:
    """Whether a module's own code may be wrong: torch's own, without hooks, is not."""
    hooks = (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks, module._backward_pre_hooks)
    return not type(module).__module__.startswith("torch.nn.") or any(hooks)
