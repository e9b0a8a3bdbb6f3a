"""A softmax of distances: what is nearest should get the largest logit, and gets the smallest."""

from __future__ import annotations

from math import prod
from typing import Any

from .replay import symbols_of
from .tape import SHAPES, Call, Leaf, Recording, Ref

_DISTANCES = {"cdist", "pairwise_distance"}
_PRODUCTS = {"matmul", "__matmul__", "mm", "bmm", "einsum", "linear"}
_SAME = SHAPES | {"T", "mT", "t", "__get__", "clone", "float", "to", "__getitem__", "masked_fill", "clamp"}
_TIMES = {"mul", "__mul__", "__rmul__", "div", "__truediv__"}


def turned_similarity(recording: Recording) -> dict[str, Any] | None:
    """``{"what", "module"}`` of a loss whose logits are distances, or similarities with a minus; None without one."""
    makers = {number: call for call in recording.calls for number in call.outputs}
    for call in recording.calls:
        if call.name not in ("cross_entropy", "log_softmax") or not call.args or not isinstance(call.args[0], Ref):
            continue
        found, sign = _source(recording, makers, call.args[0])
        if found is None:
            continue
        if found.name in _DISTANCES and sign > 0:
            return {"what": "distance", "module": call.module}
        if found.name == "cosine_similarity" and sign < 0:
            return {"what": "similarity", "module": call.module}
        sides = [_source(recording, makers, item) for item in symbols_of(found) if isinstance(item, Ref)]
        of_unit_length = len(sides) == 2 and all(made is not None and made.name == "normalize" for made, _ in sides)
        if found.name in _PRODUCTS and of_unit_length and sign * prod(turned for _, turned in sides) < 0:
            return {"what": "similarity", "module": call.module}
    return None


def _source(recording: Recording, makers: dict[int, Call], item: Ref) -> tuple[Call | None, int]:
    """The call that made a value, with the sign of the numbers it was multiplied with since; shapes are left out."""
    sign, call = 1, makers.get(item.index)
    while call is not None:
        refs = [symbol for symbol in symbols_of(call) if isinstance(symbol, Ref)]
        if call.name in ("neg", "__neg__", "negative"):
            sign = -sign
        elif call.name in _TIMES:
            factor = _factor(recording, call)
            if factor is None:
                return None, 0
            sign = sign if factor > 0 else -sign
        elif call.name not in _SAME:
            return call, sign
        call = makers.get(refs[0].index) if refs else None
    return None, 0


def _factor(recording: Recording, call: Call) -> float | None:
    """The number that a value is multiplied with; 1 for a learned one, which begins positive where it is a scale."""
    others = [item for item in call.args[:2] if isinstance(item, (int, float, Leaf))]
    if len(others) != 1 or ("div" in call.name and not isinstance(call.args[0], Ref)):
        return None
    if isinstance(others[0], Leaf):
        leaf = recording.leaves[others[0].place]
        return float(leaf) if leaf.numel() == 1 else None
    return float(others[0])
