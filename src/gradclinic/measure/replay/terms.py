"""The terms that a loss adds up, and how each was brought down to one number."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from .replay import symbols_of
from .tape import Call, Leaf, Recording, Ref

#: A loss over a batch written as a loop has a term for each sample; the first show what kind they are.
TERMS_LIMIT = 16
_SUMS = {"add", "__add__", "__radd__", "__iadd__", "add_", "sub", "__sub__", "__rsub__", "__isub__"}
_FACTORS = {"mul", "__mul__", "__rmul__", "__imul__", "div", "__truediv__", "__itruediv__", "true_divide"}
#: What a penalty on the size of weights is made of.
_SIZES = {
    "sum", "mean", "pow", "__pow__", "pow_", "square", "abs", "norm", "linalg_norm", "linalg_vector_norm", "sqrt",
    "mul", "__mul__", "__rmul__", "add", "__add__", "__radd__", "__iadd__", "mse_loss", "view", "reshape", "flatten",
    "cat",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Term:
    """One addend of the loss."""

    value: float  #: with its factor
    factor: float  #: the number that it is multiplied with
    reduction: str  #: "sum", "mean" or "" where neither made it one number
    of_inputs: bool  #: whether it depends on what the model was given
    penalty: bool  #: whether it is a norm or a power of parameters and nothing else


def loss_terms(recording: Recording) -> list[Term]:
    """The addends of the loss in their order; a single one, or none that is known, gives an empty list."""
    if recording.loss is None:
        return []
    makers = {number: call for call in recording.calls for number in call.outputs}
    found: list[Term] = []
    for number, factor in _addends(recording, makers, recording.loss.index, 1.0):
        value = recording.scalars.get(number)
        if value is None or len(found) == TERMS_LIMIT:
            break
        names, of_inputs = _below(recording, makers, number)
        alone = not of_inputs and bool(names) and names <= _SIZES
        found.append(Term(factor * float(value), factor, _reduction(makers.get(number)), of_inputs, alone))
    return found if len(found) > 1 else []


def _addends(recording: Recording, makers: dict[int, Call], number: int, factor: float) -> Iterator[tuple[int, float]]:
    """(number, factor) of each addend below a value: sums are opened, and factors that nothing trains are taken out."""
    call = makers.get(number)
    if call is not None and number in recording.scalars:
        refs = [item for item in symbols_of(call) if isinstance(item, Ref)]
        if call.name in _SUMS and refs and "alpha" not in call.kwargs:
            first = call.args[0]
            for ref in refs:
                turned = "sub" in call.name and (ref != first) != (call.name == "__rsub__")
                yield from _addends(recording, makers, ref.index, -factor if turned else factor)
            return
        if call.name in ("neg", "__neg__", "negative"):
            yield from _addends(recording, makers, refs[0].index, -factor)
            return
        times = _times(recording, call) if call.name in _FACTORS and len(refs) == 1 else None
        if times is not None:
            yield from _addends(recording, makers, refs[0].index, factor * times)
            return
    yield number, factor


def _times(recording: Recording, call: Call) -> float | None:
    """The number by which a call multiplies its one recorded argument; None where a trained value does."""
    others = [item for item in (*call.args, *call.kwargs.values()) if not isinstance(item, Ref)]
    value: Any = others[0] if len(others) == 1 else None
    if isinstance(value, Leaf):
        leaf: Tensor = recording.leaves[value.place]
        value = None if leaf.requires_grad or leaf.numel() != 1 else float(leaf)
    if not isinstance(value, (int, float)):
        return None
    if "div" not in call.name:
        return float(value)
    return 1 / value if value and isinstance(call.args[0], Ref) else None  # n / x is no multiple of x


def _below(recording: Recording, makers: dict[int, Call], number: int) -> tuple[set[str], bool]:
    """The names of the calls that a value depends on, and whether the model's inputs are among what it depends on."""
    names: set[str] = set()
    of_inputs = False
    open_numbers, seen = [number], {number}
    while open_numbers:
        call = makers.get(open_numbers.pop())
        if call is None:
            continue
        names.add(call.name)
        for item in symbols_of(call):
            if isinstance(item, Leaf):
                of_inputs |= item.place in recording.inputs
            elif item.index not in seen:
                seen.add(item.index)
                open_numbers.append(item.index)
    return names, of_inputs


def _reduction(call: Call | None) -> str:
    if call is None:
        return ""
    if call.name in ("sum", "mean"):
        return call.name
    try:
        given = inspect.signature(call.function).bind(*call.args, **call.kwargs)
    except (ValueError, TypeError):  # a built-in function without a signature
        return ""
    given.apply_defaults()
    return {"sum": "sum", "mean": "mean", "batchmean": "mean"}.get(str(given.arguments.get("reduction")), "")
