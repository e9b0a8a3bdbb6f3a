"""A recurrence run again step by step, on its recorded inputs: q of each step, and ‖δ‖ from each to the next."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor

from .cells import CellWeights, Kind


@dataclass(frozen=True, slots=True)
class Unrolled:
    """Per step: mean square of the preactivations (a gated cell: of its state), and ‖δ‖ over that of the next step.

    δ is the gradient of a random linear function of the last state, by the preactivations or by the state.
    ``outputs``: the hidden states, (N, H) each.
    """

    q: list[float]
    growth: list[float | None]
    outputs: list[Tensor]


@torch.enable_grad()
def unroll(kind: Kind, weights: CellWeights, inputs: list[Tensor]) -> Unrolled:
    """From a state of zeros, as torch's layers start by default."""
    batch, gates = len(inputs[0]), _GATES[kind]
    hidden = inputs[0].new_zeros(batch, weights.hidden.shape[1], requires_grad=True)
    cell = inputs[0].new_zeros(batch, weights.hidden.shape[0] // gates)
    seen: list[list[Tensor]] = []
    outputs = []
    for signal in inputs:
        if kind in ("rnn_tanh", "rnn_relu"):
            total = _affine(signal, hidden, weights)
            hidden = torch.tanh(total) if kind == "rnn_tanh" else torch.relu(total)
            seen.append([total])
        else:
            hidden, cell = _gated(kind, signal, hidden, cell, weights)
            # Views, so that the gradient by h leaves out the way through c, and the other way round.
            hidden, cell = hidden.view_as(hidden), cell.view_as(cell)
            seen.append([hidden, cell] if kind == "lstm" else [hidden])
        outputs.append(hidden.detach())
    return Unrolled(
        [float(sum(t.detach().square().sum() for t in step)) / sum(t.numel() for t in step) for step in seen],
        _growth(seen, hidden),
        outputs,
    )


_GATES = {"rnn_tanh": 1, "rnn_relu": 1, "lstm": 4, "gru": 3}


def _affine(signal: Tensor, hidden: Tensor, weights: CellWeights) -> Tensor:
    return F.linear(signal, weights.input) + F.linear(hidden, weights.hidden) + sum(weights.biases)


def _gated(kind: Kind, signal: Tensor, hidden: Tensor, cell: Tensor, weights: CellWeights) -> tuple[Tensor, Tensor]:
    """torch's formulas, with its order of the gates."""
    if kind == "lstm":
        i, f, g, o = _affine(signal, hidden, weights).chunk(4, 1)
        cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
        hidden = o.sigmoid() * cell.tanh()
        return (hidden if weights.projection is None else F.linear(hidden, weights.projection)), cell
    first, second = weights.biases if weights.biases else (None, None)
    r_in, z_in, n_in = F.linear(signal, weights.input, first).chunk(3, 1)
    r_hidden, z_hidden, n_hidden = F.linear(hidden, weights.hidden, second).chunk(3, 1)
    z = (z_in + z_hidden).sigmoid()
    new = (n_in + (r_in + r_hidden).sigmoid() * n_hidden).tanh()
    return (1 - z) * new + z * hidden, cell


def _growth(seen: list[list[Tensor]], last: Tensor) -> list[float | None]:
    generator = torch.Generator(device="cpu").manual_seed(0)
    direction = torch.randn(last.shape, generator=generator, dtype=torch.float32).to(last)
    leaves = [tensor for step in seen for tensor in step]
    gradients = torch.autograd.grad(last, leaves, direction, allow_unused=True)
    norms, start = [], 0
    for step in seen:
        own = [g for g in gradients[start : start + len(step)] if g is not None]
        norms.append(float(sum(g.square().sum() for g in own)) ** 0.5)
        start += len(step)
    return [here / after if after > 0 else None for here, after in pairwise(norms)] + [None]
