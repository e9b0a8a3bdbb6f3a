"""A loss on the margin y·f(x), written out by hand: what its labels are."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from .losses import facts_of
from .replay import symbols_of
from .tape import Call, Leaf, Recording, Ref

_PRODUCTS = {"mul", "__mul__", "__rmul__"}
#: What a margin is given to, sooner or later: max(0, 1 - m), log(1 + exp(-m)) and -log sigmoid(m).
_ENDS = {"relu", "clamp", "clamp_min", "softplus", "logsigmoid", "log_sigmoid"}
#: What stands between the two: 1 - m, and -m.
_TURNS = {"rsub", "__rsub__", "sub", "neg", "__neg__", "negative"}


def margin_call(recording: Recording) -> dict[str, Any] | None:
    """As :func:`.losses.loss_call`, for the first product of output and labels that a hinge is taken of."""
    makers = {number: call for call in recording.calls for number in call.outputs}
    for call in recording.calls:
        if call.name not in _ENDS:
            continue
        current = _maker(call, makers)
        turned = current is not None and current.name in _TURNS
        if current is not None and turned:
            current = _maker(current, makers)
        labels = _labels(recording, current) if current is not None and current.name in _PRODUCTS else None
        if labels is not None and not turned and "sigmoid" not in call.name:
            labels = -labels  # softplus(-y * f) turns the labels first
            # A product with positive numbers that goes into a softplus or a ReLU as it is, is a gate or a mask.
            labels = labels if bool((labels > 0).any()) else None
        if labels is not None:
            shape = {"shape": list(labels.shape), "integer": False, "tracked": True}
            return {"function": "margin", "options": {}, "prediction": shape, "target": facts_of(labels)}
    return None


def _maker(call: Call, makers: dict[int, Call]) -> Call | None:
    first = next((item for item in symbols_of(call) if isinstance(item, Ref)), None)
    return makers.get(first.index) if first is not None else None


def _labels(recording: Recording, product: Call) -> Tensor | None:
    """The constant factor of a product of two tensors, one number a sample."""
    places = [item.place for item in symbols_of(product) if isinstance(item, Leaf)]
    if len(places) != 1 or places[0] in recording.inputs:
        return None
    leaf = recording.leaves[places[0]]
    return None if leaf.requires_grad or leaf.numel() < 2 or leaf.dtype.itemsize == 1 else leaf
