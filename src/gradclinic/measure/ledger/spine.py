"""The account along one path: from the first layer up to the loss, always along the largest contribution."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import fsum, hypot, isfinite, log10

import torch

from gradclinic.schema.ledger import Kind, Line

from .backward import BackwardTape, Sent
from .graph import Op
from .norms import Norms


@dataclass(frozen=True, slots=True)
class Account:
    """The lines from the loss to the first layer, their sum after the loss, and by how much it misses."""

    lines: tuple[Line, ...]
    total: float | None
    residue: float


Join = tuple[float, float, float]


class Gradients:
    """Norms of a backward pass by operation, once the norms have settled."""

    def __init__(self, tape: BackwardTape, norms: Norms) -> None:
        self._tape = tape
        self._norms = norms

    def arrived(self, op: Op) -> float | None:
        """Norm of the gradient at all outputs of an operation together; None where none arrived."""
        arrival = self._tape.arrivals.get(op)
        if arrival is None or not arrival.tickets:
            return None
        return hypot(*(self._norms.value(ticket) for ticket in arrival.tickets.values()))

    def bad_in(self, op: Op) -> int:
        arrival = self._tape.arrivals.get(op)
        return sum(self._norms.bad(ticket) for ticket in arrival.tickets.values()) if arrival else 0

    def bad_out(self, op: Op) -> int:
        return sum(self._norms.bad(ticket) for ticket in set(self._tape.passed.get(op, {}).values()))

    def passed(self, op: Op) -> float | None:
        """Norm of the largest gradient sent along an edge that carries the signal."""
        sent = self._tape.passed.get(op, {})
        norms = [self._norms.value(ticket) for position, ticket in sent.items() if position in op.signal]
        return max(norms, default=None)

    def contributions(self, op: Op) -> list[tuple[float, int, Sent]]:
        """(norm, output, contribution) of everything that was sent to an operation."""
        outputs = range(max(1, len(op.shapes)))
        return [(self._norms.value(s.ticket), k, s) for k in outputs for s in self._tape.sent.get((op, k), ())]

    def join(self, op: Op, along: tuple[float, int, Sent], parts: list[tuple[float, int, Sent]]) -> Join | None:
        """(‖a‖², 2⟨a, b⟩, ‖b‖²) of the contribution a along the spine and the rest b, which add up to ‖a + b‖²."""
        whole = self.arrived(op)
        if whole is None:
            return None
        norm, output, contribution = along
        same = [part for part in parts if part[1] == output]
        if len(same) == 1:
            cross = 0.0  # the other parts reach other outputs
        elif len(same) == 2:
            other = next(part for part in same if part is not along)
            here = self._norms.value(self._tape.arrivals[op].tickets[output])
            cross = (here**2 - norm**2 - other[0] ** 2) / 2
        else:
            found = self._cosine(op, output, contribution)
            if found is None:
                return None
            here = self._norms.value(self._tape.arrivals[op].tickets[output])
            cross = found * norm * here - norm**2
        join = (norm**2, 2 * cross, max(0.0, whole**2 - norm**2 - 2 * cross))
        return join if all(isfinite(part) for part in join) else None

    def _cosine(self, op: Op, output: int, contribution: Sent) -> float | None:
        """Between one contribution and the whole: on a sample of elements, all of them up to 4096."""
        whole, part = self._tape.arrivals[op].samples.get(output), contribution.sample
        if whole is None or part is None or whole.shape != part.shape:
            return None
        left, right = whole.double(), part.double()
        scale = float(torch.linalg.vector_norm(left)) * float(torch.linalg.vector_norm(right))
        return float(torch.dot(left, right)) / scale if scale > 0 else None


def account(first: Op, gradients: Gradients, kinds: Callable[[Op], Kind], paths: Callable[[Op], str]) -> Account:
    """Climbs from ``first`` to the loss, then writes the way back down: a line per operation and per join.

    The lines telescope: each is a ratio whose denominator is the next one's numerator.  ``residue`` holds
    their sum against the two ends.
    """
    steps: list[tuple[Op, Op, list[Line]]] = []  # (operation, the consumer above it, lines between the two)
    op = first
    while True:
        parts = gradients.contributions(op)
        here = gradients.arrived(op)
        along = max(parts, key=lambda part: part[0], default=None)
        if along is None or not here or not along[0]:
            break
        norm, _, contribution = along
        user = contribution.user
        above = gradients.arrived(user)
        if not above:
            break
        between = [Line(user.sequence, kinds(user), paths(user), user.name, log10(norm / above))]
        if len(parts) > 1:
            join = gradients.join(op, along, parts)
            between.append(Line(op.sequence, "shortcut", paths(op), "join", log10(here / norm), join))
        elif here != norm:  # a hook of the user's changed the gradient on its way
            between.append(Line(op.sequence, "other", paths(op), "hook", log10(here / norm)))
        steps.append((op, user, between))
        op = user
    lines = tuple(line for _, _, between in reversed(steps) for line in between)
    model = [step for step in steps if kinds(step[1]) != "loss"]
    head = model[-1][1] if model else first
    top, end = gradients.arrived(head), gradients.arrived(first)
    if kinds(first) == "loss" or not top or not end:
        return Account(lines, None, 0.0)
    total = fsum(line.decades for _, _, between in model for line in between)
    return Account(lines, total, abs(total - log10(end / top)))
