"""A module's forward as graphs, or why it cannot be one: what a trace would drop or freeze is refused."""

from __future__ import annotations

import copy
import inspect
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx, nn

from gradclinic.measure.jacobian.still import same_attributes

#: Attributes of a module that hold its hooks; a trace goes through the module, and past them.
HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
#: Defaults that a forward may decide by, as "if mask is None" does.
PLAIN = (type(None), bool, int, float, str)


#: Of what kind a graph is: (in training, called without its optional arguments).
Mode = tuple[bool, bool]


def traced(module: nn.Module) -> dict[Mode, fx.Graph]:
    """The graphs of ``module`` in training and in evaluation; the module is left as it was.

    A forward whose arguments have plain defaults is traced with those first: what it does with ``mask=None`` and with
    a mask are two graphs.  Of the two at least one is there.

    Raises whatever ``torch.fx`` or the forward raises, and TypeError for a forward that no graph can stand for.
    """
    if is_leaf(module):
        raise TypeError(f"{type(module).__name__} is torch's own")
    own = vars(module).get("forward")
    if own is not None:  # fx looks at the class only
        edited: dict[Mode, fx.Graph] | None = getattr(getattr(own, "__func__", None), "graphs", None)
        if edited is None:
            raise TypeError(f"{type(module).__name__} has a forward of its own as an attribute")
        return {mode: copy.deepcopy(graph) for mode, graph in edited.items()}
    for name, child in module.named_modules():
        if name and not is_leaf(child) and any(getattr(child, hooks, None) for hooks in HOOKS):
            raise TypeError(f"{name} has hooks, which a trace would leave out")
    kinds: list[tuple[bool, type[fx.Tracer]]] = [(False, fx.Tracer)]
    if optional(module):
        kinds.insert(0, (True, _Bare))
    found: dict[Mode, fx.Graph] = {}
    failed: Exception | None = None
    for bare, tracer in kinds:
        try:
            found |= {(training, bare): graph for training, graph in _both(module, tracer).items()}
        except Exception as error:  # whatever a forward does with what is no tensor
            failed = error
    if failed is not None and not found:
        raise failed
    return found


def optional(module: nn.Module) -> dict[str, Any]:
    """The arguments of the forward that have a plain default, and the default; none where it takes any number."""
    parameters = inspect.signature(type(module).forward).parameters.values()
    if any(each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD) for each in parameters):
        return {}
    return {each.name: each.default for each in parameters if isinstance(each.default, PLAIN)}


def _both(module: nn.Module, tracer: type[fx.Tracer]) -> dict[bool, fx.Graph]:
    found = {}
    modes = {each: each.training for each in module.modules()}
    try:
        for training in (True, False):
            module.train(training)
            with _pure(module):
                found[training] = tracer().trace(module)
    finally:
        for each, training in modes.items():
            each.training = training
    return found


class _Bare(fx.Tracer):
    """Gives arguments with plain defaults their defaults."""

    def create_proxy(self, kind: str, target: Any, args: tuple[Any, ...], *others: Any, **more: Any) -> Any:
        if kind == "placeholder" and args and isinstance(args[0], PLAIN):
            return args[0]
        return super().create_proxy(kind, target, args, *others, **more)


def is_leaf(module: nn.Module) -> bool:
    """What fx does not look into: torch's own modules, containers excepted."""
    return fx.Tracer().is_leaf_module(module, "")


@contextmanager
def _pure(module: nn.Module) -> Iterator[None]:
    """Puts back what the forward changed while it was traced, and refuses it then: each call must do it again.

    Raises:
        TypeError: it set attributes, made a tensor of its own, or drew random numbers.
    """
    drawn = _state()
    # By identity; same_attributes puts copies of plain tensors in their places, which fx would not know.
    before = {each: _held(each) for each in module.modules()}
    plain = {each: {k: v for k, v in vars(each).items() if isinstance(v, Tensor)} for each in before}
    with same_attributes(module):
        for each, tensors in plain.items():
            vars(each).update(tensors)
        yield
        changed = next((each for each, held in before.items() if _held(each) != held), None)
    if not _same(drawn, _state()):
        random.setstate(drawn[0])
        np.random.set_state(drawn[1])
        torch.set_rng_state(drawn[2])
        raise TypeError(f"the forward of {type(module).__name__} draws random numbers, which a trace would freeze")
    if changed is not None:
        raise TypeError(f"the forward of {type(changed).__name__} makes a tensor or sets an attribute as it runs")


def _held(module: nn.Module) -> dict[str, int]:
    spaces: tuple[dict[str, Any], ...] = (vars(module), module._parameters, module._buffers)
    return {f"{place} {name}": id(value) for place, space in enumerate(spaces) for name, value in space.items()}


def _state() -> tuple[Any, Any, Tensor]:
    return random.getstate(), np.random.get_state(), torch.get_rng_state()


def _same(one: tuple[Any, Any, Tensor], other: tuple[Any, Any, Tensor]) -> bool:
    numpy = all(np.array_equal(a, b) for a, b in zip(one[1], other[1], strict=True))
    return one[0] == other[0] and numpy and torch.equal(one[2], other[2])
