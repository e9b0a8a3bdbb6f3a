"""What lies between a layer and the one before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from gradclinic.measure.meanfield import ACTIVATIONS, Activation

from .cells import is_cell
from .composed import made_of
from .parts import Nonlinearity, Normalization, Pooling, Product, Rearrangement, Scale, Sum, Value
from .sums import is_shortcut, returns

#: Operations that make something of more than one signal, by what a user calls them.
_CALLED = {
    "": "its input comes from outside, or from what cannot be watched",
    "embedding": "its input is an embedding",
    "embedding_bag": "its input is an embedding",
    "multi_head_attention_forward": "its input is attention",
    "scaled_dot_product_attention": "its input is attention",
    "softmax": "its input is a softmax",
    "glu": "its input is a gated linear unit",
    "mul": "its input is a product of two signals (a gate)",
    "cat": "its input is a concatenation",
    "stack": "its input is stacked of several",
    "matmul": "its input is a product of two signals (attention)",
    "bmm": "its input is a product of two signals (attention)",
}


@dataclass(slots=True)
class Link:
    """From the layer ``upper`` back to ``lower``; None where something else comes first, and ``reason`` says what."""

    upper: Value
    lower: Value | None = None
    activation: Activation = field(default_factory=lambda: ACTIVATIONS["identity"])
    entry: Value | None = None  #: what enters the activation; its mean square is the lower layer's q
    normalization: Normalization | None = None
    normalized_first: bool = False  #: before the activation
    before: float = 1.0  #: factor of the mean square between the lower layer and the activation
    drive: float = 0.0  #: mean square of what is added there
    after: float = 1.0  #: factor of the mean square between the activation and the upper layer
    pooled_before: float = 1.0  #: factor of the mean square by pooling between lower layer and activation, measured
    pooled_after: float = 1.0  #: between activation and upper layer
    driven_by: tuple[int, ...] = ()  #: places of the sums' other terms, where they are signals
    notes: tuple[str, ...] = ()
    reason: str = ""


def link(values: Sequence[Value], upper: Value) -> Link:
    """Walks back from a product to the one before it."""
    found = Link(upper)
    at = values[upper.inputs[0]]
    while not isinstance(at.part, Product):
        step = _step(values, at, found)
        if isinstance(step, str):
            found.reason = step
            return found
        at = step
    found.lower = at
    if found.entry is None:
        found.entry = at
    return found


def _step(values: Sequence[Value], at: Value, found: Link) -> Value | str:
    """One operation back, put down in ``found``; or why that cannot be."""
    part = at.part
    active = found.entry is not None
    if isinstance(part, Rearrangement) and at.inputs:
        return values[at.inputs[0]]
    if isinstance(part, Pooling):
        return _pooling(values, at, part, found)
    if isinstance(part, Scale):
        if active:
            found.drive = found.drive + found.before * part.added
            found.before *= part.square
        else:
            found.after *= part.square
        if part.note:
            _note(found, part.note)
        return values[at.inputs[0]]
    if isinstance(part, Nonlinearity):
        if active:
            return f"two activations follow each other before it ({part.activation.name}, {found.activation.name})"
        found.activation, found.entry = part.activation, values[at.inputs[0]]
        return found.entry
    if isinstance(part, Normalization):
        if found.normalization is not None:
            return "two normalisations come before it"
        found.normalization, found.normalized_first = part, active
        return values[at.inputs[0]]
    if isinstance(part, Sum):
        return _sum(values, at, found)
    if not active and (made := made_of(values, at)) is not None:
        found.activation, found.entry = made
        return found.entry
    if not at.inputs:
        return _CALLED[""]
    if is_cell(at.op):
        return "its input is a recurrence"
    return _CALLED.get(at.op.rstrip("_"), f"its input comes from {at.op}, which the theory does not know")


def _pooling(values: Sequence[Value], at: Value, part: Pooling, found: Link) -> Value | str:
    if part.whole:
        return "its input is pooled over all places"
    source = values[at.inputs[0]]
    factor = at.square / source.square if source.square > 0 else 1.0
    if found.entry is not None:
        found.pooled_before *= factor
    else:
        found.pooled_after *= factor
    _note(found, "pooling or resizing on the way: its effect on q is measured, that on gradients left out")
    return source


def _sum(values: Sequence[Value], at: Value, found: Link) -> Value | str:
    if len(at.inputs) == 1:  # and a number
        return "a number is added to its input"
    a, b = (values[place] for place in at.inputs)
    if a.constant:
        a, b = b, a
    if b.constant or returns(values, a) or returns(values, b):
        if not b.constant and not returns(values, a):
            a, b = b, a
        if found.entry is None:  # after the activation, if there is one: the recursion has no place for it
            return "something is added to its input after the activation"
        found.drive += found.before * b.square
        if not b.constant:
            found.driven_by += (b.place,)
        return a
    return "its input is a shortcut's sum" if is_shortcut(values, at) else "its input is a sum of two signals"


def _note(found: Link, note: str) -> None:
    if note not in found.notes:
        found.notes += (note,)
