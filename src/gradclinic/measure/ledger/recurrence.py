"""Weights that are used again and again along one path: the time steps of a recurrence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable

from torch import Tensor

from gradclinic.schema.ledger import Recurrence

from .forward import ForwardTape
from .graph import Graph, Op
from .parts import is_product
from .spine import Gradients

#: Uses of one weight from which it counts as a recurrence: two are tied weights (an embedding and the head).
_FEWEST = 3


def product_depths(graph: Graph) -> dict[Op, int]:
    """How many products lie on the longest path from each operation up to the roots, itself included."""
    depths: dict[Op, int] = {}
    for op in reversed(graph.ops):
        if op.reached:
            depths[op] = max((depths[user] for user, _ in op.users), default=0) + is_product(op)
    return depths


def recurrent_uses(graph: Graph) -> list[tuple[Tensor, list[Op]]]:
    """Weights used at three depths or more, with the products that use them, first time step first.

    The same weight used side by side (a Siamese net, a patch embedding) stands at one depth and is none.
    """
    depths = product_depths(graph)
    uses: dict[int, list[Op]] = defaultdict(list)
    weights: dict[int, Tensor] = {}
    for op in graph.ops:
        if op.reached and is_product(op):
            for leaf in op.parameters():
                if leaf.dim() > 1:
                    uses[id(leaf)].append(op)
                    weights[id(leaf)] = leaf
    found = []
    for key, ops in uses.items():
        deepest_first = sorted(ops, key=lambda op: -depths[op])
        distinct = len({depths[op] for op in ops})
        # A loop that multiplies the input sequence step by step also uses its input weight at many depths,
        # but nothing of its own output ever comes back to it.
        if distinct >= _FEWEST and _feeds(deepest_first[0], deepest_first[1:], depths):
            found.append((weights[key], deepest_first))
    return found


def _feeds(first: Op, later: Iterable[Op], depths: dict[Op, int]) -> bool:
    """Whether the output of ``first`` reaches, along signal edges, an input of one of ``later``."""
    wanted = set(later)
    lowest = min(depths[op] for op in wanted)
    seen = {first}
    stack = [first]
    while stack:
        for user, _ in stack.pop().users:
            if user in wanted:
                return True
            if user not in seen and depths[user] >= lowest:
                seen.add(user)
                stack.append(user)
    return False


def recurrences(
    uses: list[tuple[Tensor, list[Op]]],
    gradients: Gradients,
    forward: ForwardTape,
    names: Callable[[Tensor], str | None],
    paths: Callable[[Op], str],
) -> tuple[Recurrence, ...]:
    """The gradient at every use, after the backward pass."""
    return tuple(
        Recurrence(
            module=paths(ops[0]),
            op=ops[0].name,
            parameter=names(weight) or "",
            grad=tuple(gradients.arrived(op) for op in ops),
            forward=tuple(forward.outgoing(op) for op in ops),
            sequences=tuple(op.sequence for op in ops),
        )
        for weight, ops in uses
    )
