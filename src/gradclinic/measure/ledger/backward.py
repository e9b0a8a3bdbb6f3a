"""Hooks on graph nodes for one backward pass: the norm of every gradient that travels along a signal edge."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from .graph import Graph, Op
from .kinds import SHAPES
from .norms import Norms
from .parts import is_product

#: Elements kept of a gradient for an inner product where three or more branches meet.
_SAMPLE = 4096


@dataclass(slots=True)
class Sent:
    """What one operation sent along one edge."""

    ticket: int
    user: Op
    sample: Tensor | None = None


@dataclass(slots=True)
class Arrival:
    """The gradient that arrived at one operation, per output."""

    tickets: dict[int, int] = field(default_factory=dict)
    samples: dict[int, Tensor | None] = field(default_factory=dict)
    shapes: dict[int, tuple[int, ...]] = field(default_factory=dict)


class BackwardTape:
    """Listens to one backward pass.  ``attach`` before it, ``remove`` after it.

    A hook keeps no gradient alive (that would change whether autograd adds in place) and computes as few
    norms as it can: a gradient that has one consumer, or that a view passes on, is measured once.
    Gradients of a product's weights are left out: they are measured at every step anyway, and are the largest.

    ``on_bad(op)`` is called, within the backward pass, when a CPU operation made a non-finite gradient
    out of a finite one.  ``keep`` copies what it wants of the gradients that arrive at some operations.
    """

    def __init__(
        self,
        graph: Graph,
        norms: Norms,
        on_bad: Callable[[Op], None] | None = None,
        keep: Mapping[Op, Callable[[Any], list[Tensor | None]]] | None = None,
    ) -> None:
        self._graph = graph
        self._norms = norms
        self._on_bad = on_bad
        self._keep = keep or {}
        self.kept: dict[Op, list[Tensor | None]] = {}
        self._handles: list[Any] = []
        self._addresses: dict[tuple[Op, int], tuple[int, int]] = {}  #: of the last contribution sent there
        self._branches: dict[tuple[Op, int], int] = {}
        self.arrivals: dict[Op, Arrival] = {}
        self.sent: dict[tuple[Op, int], list[Sent]] = {}  #: by (producer, output)
        self.passed: dict[Op, dict[int, int]] = {}  #: by consumer: edge -> ticket
        self.failures: list[str] = []

    def attach(self) -> None:
        for op in self._graph.ops:
            for position in op.signal if op.reached else ():
                edge = op.edges[position]
                if isinstance(edge, tuple):
                    self._branches[edge] = self._branches.get(edge, 0) + 1
        for op in self._graph.ops:
            if op.reached or op.name not in SHAPES:
                self._handles.append(op.node.register_hook(self._hook(op)))

    def remove(self) -> None:
        handles, self._handles = self._handles, []
        for handle in handles:
            handle.remove()

    def _hook(self, op: Op) -> Callable[[Any, Any], None]:
        only_signal = op.reached and is_product(op)
        edges = [i for i, edge in enumerate(op.edges) if edge is not None and (i in op.signal or not only_signal)]

        def hook(grad_inputs: Any, grad_outputs: Any) -> None:
            try:
                self._record(op, edges, grad_inputs, grad_outputs)
            except Exception as error:  # never into the user's backward pass
                self.failures.append(f"{op.name}: {type(error).__name__}: {error}")

        return hook

    def _record(self, op: Op, edges: list[int], grad_inputs: Any, grad_outputs: Any) -> None:
        norms = self._norms
        known: dict[tuple[int, int], int] = {}  # address and elements -> ticket; valid within this call only
        arrival = self.arrivals[op] = Arrival()
        for output, gradient in enumerate(grad_outputs):
            if gradient is None:
                continue
            key, place = _key(gradient), (op, output)
            sent = self.sent.get(place, ())
            if len(sent) == 1 and key is not None and self._addresses.get(place) == key:
                ticket = sent[0].ticket  # the only contribution, and nothing changed it on the way
            else:
                ticket = norms.add(gradient)
            if key is not None:
                known[key] = ticket
            arrival.tickets[output] = ticket
            arrival.shapes[output] = tuple(gradient.shape)
            if self._branches.get(place, 0) > 2:
                arrival.samples[output] = _sample(gradient)
        if op in self._keep:
            self.kept[op] = self._keep[op](grad_outputs)
        passed = self.passed[op] = {}
        for position in edges:
            gradient = grad_inputs[position] if position < len(grad_inputs) else None
            if gradient is None:
                continue
            key = _key(gradient)
            found = known.get(key) if key is not None else None
            ticket = norms.add(gradient) if found is None else found
            if key is not None:
                known[key] = ticket
            passed[position] = ticket
            edge = op.edges[position]
            if isinstance(edge, tuple) and position in op.signal:
                sample = _sample(gradient) if self._branches.get(edge, 0) > 2 else None
                self.sent.setdefault(edge, []).append(Sent(ticket, op, sample))
                if key is None:
                    self._addresses.pop(edge, None)
                else:
                    self._addresses[edge] = key
        if self._on_bad is not None and any(norms.bad(ticket) for ticket in passed.values()):
            if not any(norms.bad(ticket) for ticket in arrival.tickets.values()):
                self._on_bad(op)


def _key(gradient: Tensor) -> tuple[int, int] | None:
    """Equal keys within one operation mean the same elements, perhaps in another shape."""
    if gradient.layout != torch.strided or type(gradient) is not Tensor:
        return None
    return gradient.data_ptr(), gradient.numel()


def _sample(gradient: Tensor) -> Tensor | None:
    """Up to about 4096 elements at positions that depend on the shape alone; a copy."""
    if gradient.layout != torch.strided or type(gradient) is not Tensor:
        return None
    excess = gradient.numel() / _SAMPLE
    steps = []
    for size in gradient.shape:
        step = max(1, min(size, math.ceil(excess)))
        steps.append(slice(None, None, step))
        excess /= step
    return gradient.detach()[tuple(steps)].reshape(-1).clone()
