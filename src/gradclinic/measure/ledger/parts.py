"""Which operations belong to the loss, what kind each operation is, and in which module it ran."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from torch import Tensor

from gradclinic.schema.ledger import Entry, Kind

from .graph import Graph, Op
from .kinds import (
    ACTIVATION_MODULES,
    ACTIVATIONS,
    FUSED_RECURRENCES,
    LOOKUPS,
    NORMALIZATIONS,
    PRODUCTS,
    REARRANGEMENTS,
    VECTOR_PRODUCTS,
)

if TYPE_CHECKING:
    from .scopes import Scopes


def current(scopes: Scopes | None, graph: Graph) -> Scopes | None:
    """The scopes when they were recorded in this graph's forward pass, and not in an earlier step's."""
    return scopes if scopes is not None and scopes.covers(op.sequence for op in graph.ops) else None


def mark_loss(graph: Graph, scopes: Scopes | None) -> None:
    """Marks the operations between the model's output and the roots.

    With recorded scopes the model's output is where its outermost module ends.  Without (an unscheduled
    step, functional code), or when the model computes its loss itself, the loss is what follows the
    last operation that is clearly a model's: a product, a lookup, a normalisation, or an activation of one.
    """
    inside = scopes.inside if scopes is not None else None
    if inside is not None and any(inside(root.sequence) for root in graph.roots):
        inside = None
    for op in reversed(graph.ops):
        if not op.reached or not (op in graph.roots or all(user.loss for user, _ in op.users)):
            continue
        op.loss = not (inside(op.sequence) if inside is not None else _belongs_to_model(op))


#: Operations looked at below one, between an activation and the product that it follows: views, a bias.
_NEAR = 16


def _belongs_to_model(op: Op) -> bool:
    below: Op | None = op
    for _ in range(_NEAR):
        if below is None or below.entry:
            break
        if is_product(below) or below.name in NORMALIZATIONS or below.name in LOOKUPS | FUSED_RECURRENCES:
            return True
        if below.name == "Add" and len(below.signal) == 1 and any(True for _ in below.parameters()):
            return True  # a bias
        if below.name not in ACTIVATIONS and below.name not in REARRANGEMENTS:
            return False
        below = below.producer(below.signal[0]) if len(below.signal) == 1 else None
    return below is not None


def is_product(op: Op) -> bool:
    """A matrix product or a convolution, whatever its operands are."""
    return op.name in PRODUCTS or op.name in VECTOR_PRODUCTS


def weight_position(op: Op) -> int | None:
    """The edge of a product through which its weight comes; None when it multiplies two signals (attention)."""
    operands = PRODUCTS.get(op.name) or VECTOR_PRODUCTS.get(op.name)
    if operands is None or len(op.edges) <= max(operands):
        return None
    first, second = operands
    if first in op.signal and second in op.signal:
        return None
    if first in op.signal:
        return second
    if second in op.signal:
        return first
    return first if op.edges[second] is None else second


def paths_of(graph: Graph, scopes: Scopes | None, names: Callable[[Tensor], str | None]) -> dict[Op, str]:
    """The module path of every operation; call after :func:`mark_loss`.

    Without recorded scopes it is the module that owns the operation's parameters, and "after" that module
    for what follows without any.
    """
    if scopes is not None:
        return {op: scopes.path_of(op.sequence) for op in graph.ops}
    paths: dict[Op, str] = {}
    for op in graph.ops:
        owners = (names(leaf) for leaf in op.parameters()) if not op.loss else ()
        own = next((name.rpartition(".")[0] for name in owners if name), None)
        if own is None and not op.loss:
            below = next((paths[p] for p in map(op.producer, op.signal) if p is not None and paths.get(p)), "")
            own = below if not below or below.startswith("after ") else f"after {below}"
        paths[op] = own or ""
    return paths


def recalled(graph: Graph, entries: Sequence[Entry]) -> dict[Op, str]:
    """The module paths that an earlier step's account knows, for the operations of which both have as many.

    The k-th product of one step runs where the k-th product of another ran, as long as the model does the same.
    """
    known: dict[str, list[Entry]] = {}
    for entry in sorted(entries, key=lambda entry: entry.sequence):
        known.setdefault(entry.op, []).append(entry)
    mine: dict[str, list[Op]] = {}
    for op in sorted(graph.ops, key=lambda op: (op.sequence, op.index)):
        mine.setdefault(op.name, []).append(op)
    return {
        op: entry.module
        for name, ops in mine.items()
        if len(ops) == len(known.get(name, ()))
        for op, entry in zip(ops, known[name], strict=True)
    }


def kind_of(op: Op, scopes: Scopes | None) -> Kind:
    """The kind that the account books an operation under."""
    if op.loss:
        return "loss"
    module = scopes.class_of(op.sequence) if scopes is not None else ""
    if op.name in ACTIVATIONS or (op.name == "Div" and module in ACTIVATION_MODULES):
        return "activation"
    if op.name in NORMALIZATIONS:
        return "normalization"
    if op.name in LOOKUPS or op.name in FUSED_RECURRENCES:
        return "weight"
    if is_product(op):
        return "weight" if weight_position(op) is not None else "other"
    if module.endswith("Norm") or "Norm1d" in module or "Norm2d" in module or "Norm3d" in module:
        return "normalization"  # a normalisation written out, such as most RMSNorms
    if op.name in ("Add", "Sub") and len(op.signal) > 1:
        return "shortcut"
    if op.name == "Mul" and any(True for _ in op.parameters()):
        return "weight"
    return "other"
