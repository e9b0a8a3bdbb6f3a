"""The autograd graph as plain records: operations, and which of their edges carry the signal.

An edge carries either the signal (what the network computes from its data) or a parameter, possibly
prepared (transposed, cast, weight-normalised).  The graph does not say which, since data that needs no
gradient leaves no node.  But data must enter somewhere, and it enters at an operation with an edge that
leads nowhere: the other operand of a matrix product or a convolution, the indices of an embedding.  So
each operation gets a level from below: ``PURE`` (leaves only), ``WEAK`` (a constant is mixed in
elementwise or as a vector: a scale, a mask, the vector of a spectral norm; perhaps data) or ``SIGNAL``
(data came in).  Above, the edges of the highest level carry the signal and the others parameters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from .kinds import CONVOLUTIONS, FUSED_RECURRENCES, LOOKUPS, NORMALIZATIONS, PRODUCTS, VECTOR_PRODUCTS, op_name

PURE, WEAK, SIGNAL = 0, 1, 2


@dataclass(slots=True, eq=False)
class Op:
    """One operation of the graph."""

    index: int  #: position in topological order, producers first
    node: Any  #: the autograd node
    name: str
    sequence: int
    #: Per edge: the producing operation and which of its outputs, a leaf tensor, or None (no gradient needed).
    edges: tuple[tuple[Op, int] | Tensor | None, ...]
    shapes: tuple[tuple[int, ...], ...]  #: of its outputs; () where unknown
    level: int = PURE
    entry: bool = False  #: data (or a leaf) comes in here: no edge carries the signal
    signal: tuple[int, ...] = ()  #: positions of the edges that carry the signal
    reached: bool = False  #: lies on a signal path from a root
    users: list[tuple[Op, int]] = field(default_factory=list)  #: reached consumers: (operation, their edge)
    loss: bool = False  #: belongs to the loss, not to the model

    def producer(self, position: int) -> Op | None:
        edge = self.edges[position]
        return edge[0] if isinstance(edge, tuple) else None

    def parameters(self) -> Iterator[Tensor]:
        """The distinct leaves below the edges that do not carry the signal."""
        seen: set[int] = set()
        stack = [self.edges[i] for i in range(len(self.edges) - 1, -1, -1) if i not in self.signal]
        while stack:
            edge = stack.pop()
            if edge is None:
                continue
            key = id(edge) if isinstance(edge, Tensor) else id(edge[0])
            if key in seen:
                continue
            seen.add(key)
            if isinstance(edge, Tensor):
                yield edge
            elif edge[0].level < SIGNAL:
                stack.extend(reversed(edge[0].edges))


@dataclass(slots=True)
class Graph:
    """The operations below some roots."""

    ops: list[Op]  #: all, producers before consumers
    roots: list[Op]

    @property
    def reached(self) -> list[Op]:
        return [op for op in self.ops if op.reached]


def read_graph(roots: Sequence[Tensor]) -> Graph:
    """Walks the graph below the roots (iteratively: depth is no limit) and decides which edges carry the signal."""
    ops: dict[Any, Op] = {}
    order: list[Op] = []
    starts = [root.grad_fn for root in roots if root.grad_fn is not None]
    leaves: dict[Any, Tensor | None] = {}
    for start in starts:
        stack: list[tuple[Any, bool]] = [(start, False)]
        while stack:
            node, ready = stack.pop()
            if node in ops or node in leaves:
                continue
            following = node.next_functions
            if not following and hasattr(node, "variable"):
                leaves[node] = node.variable
                continue
            if not ready:
                stack.append((node, True))
                stack.extend((after, False) for after, _ in reversed(following) if after is not None)
                continue
            op = _op(len(order), node, following, ops, leaves)
            ops[node] = op
            order.append(op)
    graph = Graph(order, [ops[start] for start in dict.fromkeys(starts) if start in ops])
    for op in order:
        _level(op)
    _reach(graph)
    return graph


def _op(index: int, node: Any, following: Any, ops: dict[Any, Op], leaves: dict[Any, Tensor | None]) -> Op:
    edges: list[tuple[Op, int] | Tensor | None] = []
    for after, output in following:
        if after is None:
            edges.append(None)
        elif after in leaves:
            edges.append(leaves[after])
        else:
            edges.append((ops[after], output))
    try:
        shapes = tuple(tuple(int(n) for n in metadata.shape) for metadata in node._input_metadata)
    except Exception:  # an older torch, or symbolic and nested shapes
        shapes = ()
    return Op(index, node, op_name(node.name()), int(node._sequence_nr()), tuple(edges), shapes)


def _edge_level(edge: tuple[Op, int] | Tensor | None) -> int:
    if edge is None:
        return -1
    return PURE if isinstance(edge, Tensor) else edge[0].level


def _entry_level(op: Op) -> int:
    """The level that an operation has of itself, by what comes in through edges that lead nowhere."""
    operands = PRODUCTS.get(op.name) or VECTOR_PRODUCTS.get(op.name)
    if op.name in LOOKUPS:
        return SIGNAL
    if operands is not None and len(op.edges) > max(operands):
        if all(op.edges[i] is not None for i in operands):
            return WEAK  # a product of two leaves: a learned input, or a weight made of factors
        return SIGNAL if op.name in PRODUCTS else WEAK
    if op.name in NORMALIZATIONS or op.name in FUSED_RECURRENCES:
        return SIGNAL if op.edges and op.edges[0] is None else WEAK
    return WEAK if None in op.edges else PURE


def _level(op: Op) -> None:
    below = [_edge_level(edge) for edge in op.edges]
    highest = max(below, default=-1)
    own = _entry_level(op)
    op.level = max(highest, own, PURE)
    op.entry = op.level > max(highest, PURE)
    if not op.entry:
        op.signal = tuple(i for i, level in enumerate(below) if level == highest and isinstance(op.edges[i], tuple))
    weight_sits_second = op.name in CONVOLUTIONS or op.name in ("Addmm", "Linear")
    if weight_sits_second and len(op.signal) > 1:
        first, second = PRODUCTS[op.name]
        if op.level == WEAK and first in op.signal and second in op.signal:
            op.signal = tuple(i for i in op.signal if i != second)


def _reach(graph: Graph) -> None:
    for root in graph.roots:
        root.reached = True
    for op in reversed(graph.ops):
        if not op.reached:
            continue
        for position in op.signal:
            producer = op.producer(position)
            if producer is not None:
                producer.reached = True
                producer.users.append((op, position))
