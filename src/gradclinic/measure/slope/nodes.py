"""The nodes of an autograd graph."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from torch import Tensor
from torch.autograd.function import BackwardCFunction
from torch.autograd.graph import Node


def nodes(roots: Iterable[Tensor], seen: set[Node] | None = None) -> Iterator[Any]:
    """Every node behind ``roots`` once; none of ``seen``, which grows by them, and nothing behind those."""
    seen = set() if seen is None else seen
    waiting: list[Node | None] = [root.grad_fn for root in roots]
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        yield node
        waiting += [following for following, _ in node.next_functions]


def hand_written(roots: Iterable[Tensor], seen: set[Node] | None = None) -> Iterator[type]:
    """The ``torch.autograd.Function`` behind each node that nodes() gives, where it is not one of torch's own."""
    for node in nodes(roots, seen):
        own = getattr(type(node), "_forward_cls", None) if isinstance(node, BackwardCFunction) else None
        if own is not None and not own.__module__.startswith("torch."):
            yield own
