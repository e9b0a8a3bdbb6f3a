"""The differentiable tensors inside whatever a model takes or returns."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_unflatten

Rebuild = Callable[[Sequence[Tensor]], Any]


def floating(value: Any) -> tuple[list[Tensor], Rebuild]:
    """The floating and complex tensors in ``value``, in order, and what puts others into their places.

    Looks into tuples, lists, dicts, dataclasses and what is registered with torch's pytree, at any depth.  All else
    (integer tensors, numbers, strings, other objects) is left alone.  The rebuilt containers are new ones, and
    what rebuilds them does not keep the tensors, nor the graph behind them.
    """
    return _take(value, lambda leaf: isinstance(leaf, Tensor) and (leaf.is_floating_point() or leaf.is_complex()))


def cloned(value: Any) -> Any:
    """``value`` with every tensor copied, leaves as leaves: a function may write to what it is given."""
    tensors, rebuild = _take(value, lambda leaf: isinstance(leaf, Tensor))
    copies = [tensor.detach().clone() for tensor in tensors]
    for copied, tensor in zip(copies, tensors, strict=True):
        if tensor.requires_grad:  # only then: torch.func refuses the call as such
            copied.requires_grad_()
    return rebuild(copies)


def _take(value: Any, wanted: Callable[[Any], bool]) -> tuple[list[Tensor], Rebuild]:
    leaves, spec = tree_flatten(value)
    tensors: list[Tensor] = []
    places: list[tuple[int, int, Rebuild | None]] = []  # (leaf, how many tensors it holds, how it is rebuilt)
    for place, leaf in enumerate(leaves):
        if wanted(leaf):
            tensors.append(leaf)
            places.append((place, 1, None))
        elif dataclasses.is_dataclass(leaf) and not isinstance(leaf, type):
            inside, rebuild = _take_dataclass(leaf, wanted)
            tensors += inside
            places.append((place, len(inside), rebuild))
    for place, _, _ in places:
        leaves[place] = None

    def again(others: Sequence[Tensor]) -> Any:
        filled, start = list(leaves), 0
        for place, count, rebuild in places:
            part = others[start : start + count]
            filled[place] = rebuild(part) if rebuild is not None else part[0]
            start += count
        return tree_unflatten(filled, spec)

    return tensors, again


def _take_dataclass(value: Any, wanted: Callable[[Any], bool]) -> tuple[list[Tensor], Rebuild]:
    names = [field.name for field in dataclasses.fields(value) if hasattr(value, field.name)]
    tensors, rebuild = _take([getattr(value, name) for name in names], wanted)
    hollow = _filled(value, names, [None] * len(names))

    def again(others: Sequence[Tensor]) -> Any:
        return _filled(hollow, names, rebuild(others))

    return tensors, again


def _filled(value: Any, names: Sequence[str], items: Sequence[Any]) -> Any:
    # Not dataclasses.replace: __post_init__ may refuse, check or convert.
    made = copy.copy(value)
    for name, item in zip(names, items, strict=True):
        try:
            setattr(made, name, item)
        except dataclasses.FrozenInstanceError:
            object.__setattr__(made, name, item)
    return made
