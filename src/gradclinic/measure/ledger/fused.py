"""Looks into a fused recurrence: computes it again step by step, on a few samples, after the backward pass.

A fused kernel is one node for all time steps.  Its saved input, its weights and the gradient that arrived
at it determine everything inside; the samples of a batch do not meet in it, so a few of them will do.
Covers oneDNN's LSTM, the only recurrence that torch fuses on the CPU (hence in single precision).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt

import torch
from torch import Tensor

from gradclinic.schema.ledger import Recurrence

from .graph import Op
from .norms import norm_now
from .saved import SavedReader

#: Samples of the batch that are computed again.
SAMPLES = 8
#: Longer sequences than this would cost more than the step itself.
LONGEST = 1024
#: How far the outputs may be from the fused kernel's, relative to their size, before the replay is given up.
_TOLERANCE = 1e-3


@dataclass(slots=True)
class FusedLstm:
    """What a fused LSTM layer saved of every ``stride``-th sample: (T, B, F) input, (B, H) states, (4H, ·) weights."""

    op: Op
    parameter: Tensor | None  #: the hidden-to-hidden weight's leaf
    inputs: Tensor
    hidden: Tensor
    cell: Tensor
    weights: tuple[Tensor, Tensor]
    bias: Tensor | float
    outputs: Tensor
    reverse: bool
    stride: int
    batch: int

    def sample(self, gradients: Sequence[Tensor | None]) -> list[Tensor | None]:
        """The same samples of the gradients at the outputs: all steps (T, B, H), last hidden and cell state (B, H)."""
        found: list[Tensor | None] = []
        for gradient in gradients[:3]:
            if gradient is not None and gradient.dim() == 3 and gradient.shape[0] == self.inputs.shape[0]:
                found.append(gradient.detach()[:, :: self.stride].clone())
            else:
                rows = None if gradient is None else gradient.detach().reshape(-1, gradient.shape[-1])
                found.append(None if rows is None else rows[:: self.stride].clone())
        return found


def read_lstm(op: Op, reader: SavedReader) -> FusedLstm | None:
    """Copies the samples; None where the node is another kind of recurrence or was not saved in full."""
    node = op.node
    if op.name != "MkldnnRnnLayer" or reader.raw(node, "mode") != 2 or reader.raw(node, "batch_sizes"):
        return None
    found = [reader.tensor(node, name) for name in ("input", "hx_", "cx_", "weight0", "weight1", "result0")]
    if any(tensor is None for tensor in found):
        return None
    inputs, hidden, cell, from_input, from_hidden, outputs = (tensor for tensor in found if tensor is not None)
    if inputs.dim() != 3 or not 0 < inputs.shape[0] <= LONGEST:
        return None
    biases = [reader.tensor(node, name) for name in ("weight2", "weight3")] if reader.raw(node, "has_biases") else []
    stride = max(1, -(-inputs.shape[1] // SAMPLES))
    leaf = next((leaf for leaf in op.parameters() if leaf.data_ptr() == from_hidden.data_ptr()), None)
    return FusedLstm(
        op=op,
        parameter=leaf,
        inputs=inputs[:, ::stride].clone(),
        hidden=hidden.reshape(-1, hidden.shape[-1])[::stride].clone(),
        cell=cell.reshape(-1, cell.shape[-1])[::stride].clone(),
        weights=(from_input, from_hidden),
        bias=sum((bias for bias in biases if bias is not None), start=0.0),
        outputs=outputs[:, ::stride].clone(),
        reverse=bool(reader.raw(node, "reverse")),
        stride=stride,
        batch=inputs.shape[1],
    )


def replay(
    lstm: FusedLstm, gradients: Sequence[Tensor | None], names: Callable[[Tensor], str | None], path: str
) -> Recurrence | None:
    """The gradient at the hidden state of every time step, in the order in which the layer went through them.

    ``gradients`` is what :meth:`FusedLstm.sample` kept.  Norms are scaled from the samples to the batch.
    None when the outputs differ from the fused kernel's.
    """
    inputs, expected = lstm.inputs, lstm.outputs
    at_steps, at_hidden, at_last_cell = gradients
    at_steps = torch.zeros_like(expected) if at_steps is None else at_steps
    if lstm.reverse:
        inputs, at_steps, expected = inputs.flip(0), at_steps.flip(0), expected.flip(0)
    from_input, from_hidden = lstm.weights
    hidden, cell = lstm.hidden, lstm.cell
    projected = inputs @ from_input.t() + lstm.bias
    steps: list[tuple[Tensor, ...]] = []
    forward: list[float] = []
    for t in range(inputs.shape[0]):
        i, f, g, o = (projected[t] + hidden @ from_hidden.t()).chunk(4, dim=1)
        i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
        before, cell = cell, f * cell + i * g
        squashed = cell.tanh()
        hidden = o * squashed
        steps.append((i, f, g, o, before, squashed))
        if not torch.allclose(hidden, expected[t], rtol=_TOLERANCE, atol=_TOLERANCE * float(expected.abs().max())):
            return None
        forward.append(norm_now(hidden)[0] / sqrt(hidden.numel()))
    to_hidden = torch.zeros_like(hidden) if at_hidden is None else at_hidden
    to_cell = torch.zeros_like(cell) if at_last_cell is None else at_last_cell
    norms: list[float] = []
    for t in reversed(range(len(steps))):
        i, f, g, o, before, squashed = steps[t]
        arrived = at_steps[t] + to_hidden
        norms.append(norm_now(arrived)[0] * sqrt(lstm.batch / arrived.shape[0]))
        at_cell = arrived * o * (1 - squashed**2) + to_cell
        gates = (
            at_cell * g * i * (1 - i),
            at_cell * before * f * (1 - f),
            at_cell * i * (1 - g**2),
            arrived * squashed * o * (1 - o),
        )
        to_hidden = torch.cat(gates, dim=1) @ from_hidden
        to_cell = at_cell * f
    name = names(lstm.parameter) if lstm.parameter is not None else None
    return Recurrence(path, lstm.op.name, name or "", tuple(reversed(norms)), tuple(forward))
