"""The activation that several operations amount to."""

from __future__ import annotations

from collections.abc import Sequence

from gradclinic.measure.meanfield import Activation

from .names import matched
from .parts import Normalization, Product, Value


def made_of(values: Sequence[Value], at: Value) -> tuple[Activation, Value] | None:
    """The activation that several operations up to ``at`` amount to, and what enters it: x * sigmoid(x)."""
    ends: set[int] = set()
    seen: set[int] = set()
    stack = list(at.inputs)
    while stack:
        place = stack.pop()
        value = values[place]
        if value.constant or place in seen:
            continue
        seen.add(place)
        if isinstance(value.part, Product | Normalization) or not value.inputs:
            ends.add(place)
        else:
            stack += value.inputs
    if len(ends) != 1:
        return None
    entry = values[ends.pop()]
    if not entry.inputs or entry.shape != at.shape or entry.sample is None or at.sample is None:
        return None
    activation = matched(entry.sample, at.sample)
    return None if activation is None else (activation, entry)
