"""Scripts that update their weights without an optimizer: which leaves they train, and when they moved."""

from __future__ import annotations

import weakref
from collections.abc import Sequence

import torch
from torch import Tensor

from .uphill import Uphill

#: Elements compared per leaf to notice an update; a gradient step that moves no one of 64 spread
#: elements moves hardly anything.
PROBE = 64


class ByHand:
    """Follows the leaves of backward passes while no optimizer is known."""

    def __init__(self) -> None:
        self._leaves: list[weakref.ref[Tensor]] = []
        self._probe: list[Tensor | None] = []
        self._slopes: list[Tensor | None] = []
        self._uphill = Uphill()
        self.uphill: float | None = None  #: cosine of step and gradient, once it is certain that steps go up

    def follow(self, roots: Sequence[Tensor]) -> None:
        """At the start of a backward pass: finds its leaves (once; a new set where the old one has gone)."""
        if not self._leaves or any(reference() is None for reference in self._leaves):
            self.follow_leaves(_leaves_under(roots))

    def follow_leaves(self, leaves: Sequence[Tensor]) -> None:
        self._leaves = [weakref.ref(leaf) for leaf in leaves]
        self._probe = [_probe(leaf) for leaf in leaves]

    def gradients(self, gradients: Sequence[Tensor | None]) -> None:
        """Of the leaves, as a backward pass left them."""
        self._slopes = [None if gradient is None else _probe(gradient) for gradient in gradients]

    def leaves(self) -> list[Tensor]:
        return [leaf for reference in self._leaves if (leaf := reference()) is not None]

    def moved(self) -> bool:
        """Whether any leaf has changed since it was last asked."""
        now = [_probe(leaf) for reference in self._leaves if (leaf := reference()) is not None]
        moved = len(now) == len(self._probe) and any(
            before is not None and after is not None and not torch.equal(before, after)
            for before, after in zip(self._probe, now, strict=True)
        )
        if moved and len(self._slopes) == len(now):
            self.uphill = self._uphill.stepped(self._probe, now, self._slopes)
        self._probe = now
        return moved


def _leaves_under(roots: Sequence[Tensor]) -> list[Tensor]:
    """The leaves that a backward pass from ``roots`` would reach, first layers last."""
    waiting = [root.grad_fn for root in roots if root.grad_fn is not None]
    seen = set(waiting)
    leaves: dict[int, Tensor] = {}
    while waiting:
        node = waiting.pop(0)
        leaf = getattr(node, "variable", None)  # an AccumulateGrad node
        if leaf is not None:
            leaves[id(leaf)] = leaf
        for following, _ in node.next_functions:
            if following is not None and following not in seen:
                seen.add(following)
                waiting.append(following)
    return list(leaves.values())


def _probe(leaf: Tensor) -> Tensor | None:
    if leaf.device.type != "cpu" or leaf.is_sparse:  # no synchronisation with a device
        return None
    flat = leaf.detach().reshape(-1)
    return flat[:: max(1, flat.numel() // PROBE)].clone()
