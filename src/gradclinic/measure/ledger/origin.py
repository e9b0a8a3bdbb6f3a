"""Where a NaN or an Inf came from: the first operation that made one out of finite numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import sqrt
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from gradclinic.schema.ledger import Entry, Ledger

from .evaluate import evaluate
from .forward import Values, operands_of
from .graph import Graph, Op, read_graph
from .kinds import LOSSES, SHAPES
from .parts import current, mark_loss, paths_of, recalled
from .saved import Readable, SavedReader

if TYPE_CHECKING:
    from .scopes import Scopes

Names = Callable[[Tensor], str | None]

#: Operations through which a constant -inf comes in on purpose: an attention mask.
_MASKS = frozenset({"MaskedFill", "Where"})

#: Operations that make no non-finite number out of finite ones, but for the overflow of a sum.
_HARMLESS = SHAPES | {"Add", "Sub", "Rsub", "Sum", "Mean", "Neg", "Abs", "MaskedFill", "Where", "Relu"}


def value_range(name: str, tensor: Tensor) -> dict[str, Any]:
    """What a report says of one operand: low, high and RMS of its finite elements, and how many are not finite."""
    values = tensor.detach()
    values = values.abs() if values.is_complex() else values
    finite = values[torch.isfinite(values)].double()
    seen = finite.numel() > 0
    peak = float(finite.abs().max()) if seen else 0.0
    return {
        "name": name,
        "low": float(finite.min()) if seen else None,
        "high": float(finite.max()) if seen else None,
        "rms": peak * sqrt(float((finite / peak).square().mean())) if peak > 0 else (0.0 if seen else None),
        "non_finite": values.numel() - finite.numel(),
        "dtype": str(tensor.dtype).removeprefix("torch."),
    }


def first_non_finite(
    roots: Sequence[Tensor],
    *,
    scopes: Scopes | None = None,
    names: Names = lambda _: None,
    saved_readable: Readable = True,
    earlier: Sequence[Entry] = (),
) -> dict[str, Any] | None:
    """Finds the first operation with finite inputs and a non-finite output, on the way to a non-finite root.

    To be called while the graph is alive (before or within backward).  Returns the data of a
    ``non_finite_origin`` event; None when the roots are finite or nothing could be found.  The direction
    is "forward", or "parameter" or "input" where a non-finite number was there before any operation.  Without scopes
    of this step, an ``earlier`` step's account says in which modules its operations ran.

    A -inf that a mask puts in on purpose is no fault as long as nothing comes of it: the search follows
    non-finite values down from the root, so it ends at the softmax whose row was masked as a whole and
    not at the mask.
    """
    if all(bool(torch.isfinite(root).all()) for root in roots):
        return None
    graph = read_graph(roots)
    return _Search(graph, roots, SavedReader(saved_readable), names, scopes, earlier).run()


def _finite(tensor: Tensor) -> bool:
    return bool(torch.isfinite(tensor).all())


class _Search:
    def __init__(
        self,
        graph: Graph,
        roots: Sequence[Tensor],
        reader: SavedReader,
        names: Names,
        scopes: Scopes | None,
        earlier: Sequence[Entry],
    ) -> None:
        self.graph = graph
        self.reader = reader
        self.values = Values(reader)
        self.names = names
        scopes = current(scopes, graph)
        mark_loss(graph, scopes)
        self.paths = paths_of(graph, scopes, names)
        if scopes is None:
            self.paths |= recalled(graph, earlier)
        self.known: dict[tuple[Op, int], Tensor] = {}
        self.bad: dict[tuple[Op, int], bool] = {}
        self.users: dict[Op, list[tuple[Op, int]]] = {}
        by_node = {op.node: op for op in graph.ops}
        for root in roots:
            op = by_node.get(root.grad_fn)
            if op is not None:
                self.known[op, root.output_nr] = root.detach()
        for op in graph.ops:
            for position, edge in enumerate(op.edges):
                if isinstance(edge, tuple):
                    self.users.setdefault(edge[0], []).append((op, position))

    def run(self) -> dict[str, Any] | None:
        for op in self.graph.ops:
            self._fill(op)
        reached = self._follow()
        for op in sorted(reached, key=lambda op: (op.sequence, op.index)):
            found = self._judge(op)
            if found is not None:
                return found
        return None

    def _fill(self, op: Op) -> None:
        """Every output's value: as saved by a consumer or the operation itself, else computed again."""
        for output in range(max(1, len(op.shapes))):
            place = (op, output)
            if place not in self.known:
                value = self._saved_output(op, output)
                if value is None and len(op.shapes) <= 1:
                    value = evaluate(op, self._inputs(op), lambda name: self.reader.raw(op.node, name))
                if value is None and op.name == "MaskedFill":
                    value = self._masked(op)
                if value is not None:
                    self.known[place] = value
            if place in self.known:
                self.bad[place] = not _finite(self.known[place])

    def _saved_output(self, op: Op, output: int) -> Tensor | None:
        own = self.values.result(op) if output == 0 else None
        if own is not None:
            return own
        for user, position in self.users.get(op, ()):
            if user.edges[position] == (op, output):
                value = self.values.operand(user, position)
                if value is not None:
                    return value
        return None

    def _input(self, op: Op, position: int) -> Tensor | None:
        edge = op.edges[position]
        if isinstance(edge, tuple) and edge in self.known:
            return self.known[edge]
        return self.values.operand(op, position)

    def _inputs(self, op: Op) -> list[Tensor | None]:
        return [self._input(op, position) for position in range(len(op.edges))]

    def _follow(self) -> set[Op]:
        """Operations with a non-finite output from which the root's comes, through unknown ones too."""
        found: set[Op] = set()
        stack = list(self.graph.roots)
        seen: set[Op] = set()
        while stack:
            op = stack.pop()
            if op in seen:
                continue
            seen.add(op)
            if any(self.bad.get((op, k), False) for k in range(max(1, len(op.shapes)))):
                found.add(op)
            stack.extend(edge[0] for edge in op.edges if isinstance(edge, tuple) and self.bad.get(edge, True))
        return found

    def _judge(self, op: Op) -> dict[str, Any] | None:
        """The event when this operation is the origin; None when it only passes on what came in."""
        if op.name in _MASKS and self._only_masked(op):
            return None
        inputs = self._labelled(op)
        for label, tensor, edge in inputs:
            if not isinstance(edge, tuple) and not _finite(tensor) and not self._mask_like(op, tensor):
                if isinstance(edge, Tensor):
                    ranges = [value_range(self.names(edge) or label, tensor)]
                    return self._event("parameter", self._user_of_shape(op), ranges)
                return self._event("input", op, [value_range(label, tensor)])
        constant = self._bad_constant(op)
        if constant is not None:
            return self._event("input", op, [value_range("constant", constant)])
        missing = [edge for edge in op.edges if isinstance(edge, tuple) and edge not in self.known]
        if missing:
            suspect = self._suspect(missing) if op.name in _HARMLESS else op
            ranges = [value_range(label, tensor) for label, tensor, _ in self._labelled(suspect)]
            return self._event("forward", suspect, ranges or self._nearest(missing), "bracket")
        return self._event("forward", op, [value_range(label, tensor) for label, tensor, _ in inputs])

    def _event(self, direction: str, op: Op, inputs: list[dict[str, Any]], how: str = "graph") -> dict[str, Any]:
        return {"direction": direction, "op": op.name, "module": self.paths[op], "inputs": inputs, "how": how}

    def _user_of_shape(self, op: Op) -> Op:
        """The operation that a transposed or cast parameter was prepared for."""
        while op.name in SHAPES and op in self.users:
            op = self.users[op][0][0]
        return op

    def _bad_constant(self, op: Op) -> Tensor | None:
        """The operand that autograd did not keep, when it must have been non-finite.

        Sums and products of finite numbers may overflow to Inf but are never NaN.
        """
        value = self.known.get((op, 0))
        if op.name not in ("Add", "Sub", "Mul") or value is None or not bool(value.isnan().any()):
            return None
        inputs = self._inputs(op)
        known = [tensor for tensor in inputs if tensor is not None]
        if len(known) == len(op.edges) > 1 or len(known) != 1 or not _finite(known[0]):
            return None
        if op.name == "Mul":
            return value
        if op.name == "Sub":
            return value + known[0] if inputs[0] is None else known[0] - value
        return value - known[0]

    def _suspect(self, missing: list[tuple[Op, int]]) -> Op:
        """Of operations with unknown outputs below a harmless one: the nearest that can make a non-finite number."""
        stack, seen = [edge[0] for edge in missing], {edge[0] for edge in missing}
        for op in stack:
            if op.name not in _HARMLESS:
                return op
            for edge in op.edges:
                if isinstance(edge, tuple) and edge not in self.known and edge[0] not in seen:
                    seen.add(edge[0])
                    stack.append(edge[0])
        return stack[-1]

    def _nearest(self, missing: list[tuple[Op, int]]) -> list[dict[str, Any]]:
        """Ranges of the nearest values below that are known."""
        queue, ranges = list(missing), []
        for op, output in queue:  # grows while it is read
            value = self.known.get((op, output))
            if value is not None:
                ranges.append(value_range(f"output of {op.name}", value))
            elif len(queue) < 256:
                queue.extend(edge for edge in op.edges if isinstance(edge, tuple))
        return ranges[:4]

    def _only_masked(self, op: Op) -> bool:
        value = self.known.get((op, 0))
        return value is not None and bool((torch.isfinite(value) | (value == -torch.inf)).all())

    def _mask_like(self, op: Op, tensor: Tensor) -> bool:
        """An additive mask: nothing but 0 and -inf."""
        return op.name in ("Add", "Baddbmm") and bool(((tensor == 0) | (tensor == -torch.inf)).all())

    def _masked(self, op: Op) -> Tensor | None:
        """A masked fill: its mask is saved and its value is not, which nearly always is -inf.

        Where it was not, the softmax that follows saved a finite result, and nobody comes here.
        """
        mask, value = self.reader.tensor(op.node, "mask"), self._input(op, 0)
        return value.masked_fill(mask, -torch.inf) if mask is not None and value is not None else None

    def _labelled(self, op: Op) -> list[tuple[str, Tensor, Any]]:
        """(name, value, edge) of every input that is known, in the order of the operation's arguments."""
        operands = operands_of(op.name).items()
        at_edge = {position: attribute for attribute, position in operands if self.reader.has(op.node, attribute)}
        named = []
        for position, edge in enumerate(op.edges):
            value = self._input(op, position)
            if value is not None and (value.is_floating_point() or value.is_complex()):
                usual = at_edge.get(position, f"input {position}" if position else "input")
                usual = {"self": "input", "mat1": "input", "mat2": "weight"}.get(usual, usual)
                named.append((self._name(edge) or usual, value, edge))
        if op.name in LOSSES and not any(position == 1 for position in range(len(op.edges))):
            target = self.reader.tensor(op.node, "target")
            if target is not None and target.is_floating_point():
                named.append(("target", target, None))
        return named

    def _name(self, edge: Any) -> str | None:
        return self.names(edge) if isinstance(edge, Tensor) else None


def backward_origin(ledger: Ledger, non_finite_parameters: Iterable[str] = ()) -> dict[str, Any] | None:
    """The first operation of a backward pass that made a non-finite gradient out of a finite one.

    ``non_finite_parameters`` names the parameters whose gradient is not finite; it finds the operations
    whose gradient for their input is right and for their weight is not.  Returns the data of a
    ``non_finite_origin`` event, or None.
    """
    wanted = set(non_finite_parameters)
    backwards = sorted(ledger.entries, key=lambda entry: -entry.sequence)
    made = next((entry for entry in backwards if entry.non_finite_out and not entry.non_finite_in), None)
    if made is None:
        made = next((entry for entry in backwards if not entry.non_finite_in and wanted & set(entry.parameters)), None)
    return None if made is None else _backward_event(made)


def _backward_event(entry: Entry) -> dict[str, Any]:
    seen = {"name": "input", "low": None, "high": None, "rms": entry.forward_in, "non_finite": 0}
    return {"direction": "backward", "op": entry.op, "module": entry.module, "inputs": [seen], "how": "graph"}


def _hidden(op: Op, values: Values) -> bool:
    """Whether its forward result already was not finite where its input was: something after it, a ``where`` or a mask,
    hid that from the loss, and could not hide it from the gradient.
    """
    given = [values.operand(op, position) for position in range(len(op.edges))]
    if any(value is not None and not bool(torch.isfinite(value).all()) for value in given):
        return False
    made = values.result(op)
    if made is None and given and given[0] is not None:
        made = evaluate(op, given, values.raw(op))
    return made is not None and made.is_floating_point() and not bool(torch.isfinite(made).all())


def describe_backward(op: Op, values: Values, module: str) -> dict[str, Any]:
    """The event of an operation caught in the act, while its saved tensors are still there."""
    inputs = []
    for position in range(len(op.edges)):
        value = values.operand(op, position)
        if value is not None and value.is_floating_point():
            inputs.append(value_range("input" if position == 0 else f"input {position}", value))
    result = values.result(op)
    if not inputs and result is not None:
        inputs.append(value_range("output", result))
    direction = "forward" if _hidden(op, values) else "backward"
    return {"direction": direction, "op": op.name, "module": module, "inputs": inputs, "how": "graph"}
