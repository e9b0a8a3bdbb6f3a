"""Root mean squares on the way forward, from what autograd saved for the backward pass anyway."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import Any

import torch
from torch import Tensor

from .evaluate import evaluate
from .graph import Op
from .kinds import CONVOLUTIONS, REARRANGEMENTS
from .norms import Norms
from .saved import SavedReader

#: Which saved tensor is the value on which edge.  Anything else: "self" and "input" are edge 0, "other" edge 1.
_OPERANDS: dict[str, dict[str, int]] = {
    "Addmm": {"mat1": 1, "mat2": 2},
    "Mm": {"self": 0, "mat2": 1},
    "Bmm": {"self": 0, "mat2": 1},
    "Baddbmm": {"batch1": 1, "batch2": 2},
    "Addbmm": {"batch1": 1, "batch2": 2},
    "Mv": {"self": 0, "vec": 1},
    "Addmv": {"mat": 1, "vec": 2},
    "Dot": {"self": 0, "tensor": 1},
}
_USUAL = {"self": 0, "input": 0, "other": 1, "weight": 1}
_ATTENTION = {"query": 0, "key": 1, "value": 2}

#: What a parameter may go through on the way to its use without changing but in shape and precision.
_PREPARATIONS = REARRANGEMENTS | {"ToCopy"}

#: Shape operations between a parameter and its use; linear layers have one.
_LONGEST_CHAIN = 8

#: Elements of the output for which a linear layer is computed again when nobody saved its output: the RMS
#: is then known to about 1/√2048, two in a hundred, whatever the width, at a sixteenth of the forward cost
#: for a batch of 128 and a width of 256.
SAMPLE_ELEMENTS = 2048


def operands_of(name: str) -> dict[str, int]:
    """Saved tensor -> edge whose value it is, for an operation of this name."""
    if name.startswith("ScaledDotProduct"):
        return _ATTENTION
    if name.endswith(("Loss", "Loss2D")) or name.startswith(("BinaryCrossEntropy", "KlDiv")):
        return {"self": 0, "target": 1}
    return _OPERANDS.get(name, _USUAL)


class Values:
    """The values of operations' outputs and inputs as far as autograd saved them."""

    def __init__(self, reader: SavedReader) -> None:
        self._reader = reader

    def operand(self, op: Op, position: int) -> Tensor | None:
        """The tensor that came in through one edge, if the operation saved it."""
        edge = op.edges[position] if position < len(op.edges) else None
        if isinstance(edge, Tensor):
            return edge.detach()
        for attribute, at in operands_of(op.name).items():
            if at == position and self._reader.has(op.node, attribute):
                value = self._reader.tensor(op.node, attribute)
                if value is not None:
                    return value
        return self._prepared(edge) if isinstance(edge, tuple) else None

    def _prepared(self, edge: tuple[Op, int]) -> Tensor | None:
        """A parameter behind transpositions and views; a first layer does not save its weight, no gradient needs it."""
        chain: list[Op] = []
        below: tuple[Op, int] | Tensor | None = edge
        while isinstance(below, tuple) and below[0].name in _PREPARATIONS and len(chain) < _LONGEST_CHAIN:
            chain.append(below[0])
            below = below[0].edges[0] if below[0].edges else None
        value = below.detach() if isinstance(below, Tensor) else None
        for op in reversed(chain):
            if value is not None:
                value = evaluate(op, [value], lambda name, op=op: self._reader.raw(op.node, name))  # type: ignore[misc]
        return value

    def raw(self, op: Op) -> Callable[[str], Any]:
        """Reads what the operation saved beside tensors, by name."""
        return lambda name: self._reader.raw(op.node, name)

    def result(self, op: Op) -> Tensor | None:
        """What the operation saved as its own output."""
        for attribute in ("result", "output", "result0") if op.name != "Std" else ("result",):
            value = self._reader.tensor(op.node, attribute)
            if value is not None:
                return value
        return None

    def output(self, op: Op, output: int = 0) -> Tensor | None:
        """The output, from the operation itself or from a consumer that saved it as its input."""
        if output == 0:
            own = self.result(op)
            if own is not None:
                return own
        for user, position in op.users:
            edge = user.edges[position]
            if isinstance(edge, tuple) and edge[1] == output:
                value = self.operand(user, position)
                if value is not None:
                    return value
        return None


Ticket = tuple[int, int]  #: of a norm, with the number of elements


class ForwardTape:
    """Tickets of the RMS of every operation's input and output; read before the graph is used up."""

    def __init__(self, values: Values, norms: Norms) -> None:
        self._values = values
        self._norms = norms
        self._cache: dict[tuple[int, int, torch.dtype], int] = {}
        self._out: dict[tuple[Op, int], Ticket] = {}
        self._in: dict[Op, Ticket | None] = {}
        self._again: dict[Op, tuple[Ticket, Ticket, Ticket]] = {}  #: whole input, sample, output for the sample

    def measure(self, tensor: Tensor) -> Ticket:
        """(ticket of the norm, number of elements); each storage once."""
        key = (tensor.data_ptr(), tensor.numel(), tensor.dtype)
        if type(tensor) is not Tensor or key[0] == 0:
            return self._norms.add(tensor), tensor.numel()
        if key not in self._cache:
            self._cache[key] = self._norms.add(tensor)
        return self._cache[key], tensor.numel()

    def read(self, ops: list[Op]) -> None:
        """Reads all of them; ``ops`` are in topological order, producers first."""
        for op in ops:
            for output in range(max(1, len(op.shapes))):
                value = self._values.output(op, output)
                if value is not None:
                    self._out[op, output] = self.measure(value)
        # A view has the RMS of what it views, and the other way round.
        for op in ops:
            self._share(op, to_view=True)
        for op in reversed(ops):
            self._share(op, to_view=False)
        for op in ops:
            if (op, 0) not in self._out and not self._share(op, to_view=True):
                self._compute_again(op)
            self._in[op] = self._find_incoming(op)

    def _share(self, op: Op, to_view: bool) -> bool:
        edge = op.edges[0] if op.edges else None
        if not isinstance(edge, tuple) or not (op.name in REARRANGEMENTS or op.name == "Expand"):
            return False
        source, target = (edge, (op, 0)) if to_view else ((op, 0), edge)
        if source in self._out and target not in self._out:
            self._out[target] = self._out[source]
            return True
        return False

    def _compute_again(self, op: Op) -> None:
        found = sampled_product(op, self._values)
        if found is not None:
            sample, output, full = found
            self._again[op] = (self.measure(full), self._fresh(sample), self._fresh(output))

    def _fresh(self, tensor: Tensor) -> Ticket:
        return self._norms.add(tensor), tensor.numel()

    def _find_incoming(self, op: Op) -> Ticket | None:
        for position in op.signal or range(len(op.edges)):
            edge = op.edges[position]
            if isinstance(edge, tuple):
                found = self._out.get(edge)
                if found is not None:
                    return found
            if not op.signal and edge is not None:
                continue  # a parameter; the data is where the edge leads nowhere
            value = self._values.operand(op, position)
            if value is not None:
                return self.measure(value)
        return None

    def rms(self, found: Ticket | None) -> float | None:
        """After the norms have settled."""
        if found is None or found[1] == 0:
            return None
        return self._norms.value(found[0]) / sqrt(found[1])

    def incoming(self, op: Op) -> float | None:
        """RMS of the signal input (the first one that is known), after the norms have settled."""
        return self.rms(self._in.get(op))

    def outgoing(self, op: Op) -> float | None:
        """RMS of the first output, after the norms have settled."""
        if (op, 0) in self._out or op not in self._again:
            return self.rms(self._out.get((op, 0)))
        full, below, above = (self.rms(ticket) for ticket in self._again[op])
        if not full or not below or above is None:
            return above
        return full * above / below  # steadier than the sample's own RMS: the gain varies less than the input


def sampled_product(op: Op, values: Values) -> tuple[Tensor, Tensor, Tensor] | None:
    """(sample of the input, output for it, whole input) of a linear layer whose output nobody saved."""
    if op.name in ("Addmm", "Mm"):
        at = 1 if op.name == "Addmm" else 0
        data, weight = values.operand(op, at), values.operand(op, at + 1)
        if data is None or weight is None or data.dim() != 2 or data.dtype != weight.dtype:
            return None
        rows = -(-SAMPLE_ELEMENTS // max(1, weight.shape[1]))
        sample = data[:: max(1, data.shape[0] // rows)]
        output = sample @ weight
        if op.name == "Addmm":
            bias = values.operand(op, 0)
            if bias is not None and bias.dim() == 1:
                output = output + bias
        return sample, output, data
    if op.name in CONVOLUTIONS and op.name == "Convolution":
        data, weight = values.operand(op, 0), values.operand(op, 1)
        node = op.node
        if data is None or weight is None or data.dtype != weight.dtype or data.dim() < 3:
            return None
        bias = values.operand(op, 2) if len(op.edges) > 2 else None
        sample = data[:: max(1, data.shape[0] // 2)]
        common = {"stride": node._saved_stride, "padding": node._saved_padding, "dilation": node._saved_dilation}
        common["groups"] = node._saved_groups
        output = torch.convolution(
            sample, weight, bias, transposed=node._saved_transposed, output_padding=node._saved_output_padding, **common
        )
        return sample, output, data
    return None
