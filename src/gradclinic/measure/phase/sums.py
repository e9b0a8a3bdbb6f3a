"""Sums of two signals: shortcuts, and what drives a recurrence that is written out."""

from __future__ import annotations

from collections.abc import Sequence

from .parts import Product, Rearrangement, Scale, Sum, Value


def returns(values: Sequence[Value], value: Value) -> bool:
    """Whether it comes from a layer that has been passed before: a step of a recurrence written out."""
    while isinstance(value.part, Rearrangement | Scale) and value.inputs:
        value = values[value.inputs[0]]
    if not isinstance(value.part, Product):
        return False
    earlier = (values[place] for place in _places(value.ancestors & ~(1 << value.place)))
    return any(isinstance(one.part, Product) and one.part.weight == value.part.weight for one in earlier)


def is_shortcut(values: Sequence[Value], at: Value) -> bool:
    """Whether both terms of a sum come from one signal."""
    if not isinstance(at.part, Sum) or len(at.inputs) != 2:
        return False
    a, b = (values[place] for place in at.inputs)
    if a.constant or b.constant or returns(values, a) or returns(values, b):
        return False
    return any(not values[place].constant for place in _places(a.ancestors & b.ancestors))


def _places(bits: int) -> list[int]:
    found = []
    while bits:
        low = bits & -bits
        found.append(low.bit_length() - 1)
        bits ^= low
    return found
