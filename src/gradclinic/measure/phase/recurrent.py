"""Recurrences as stacks whose layers are time steps."""

from __future__ import annotations

from math import isfinite, sqrt

import torch
from torch import Tensor

from gradclinic.measure.meanfield import ACTIVATIONS
from gradclinic.schema.phase import Layer, Stack

from .cells import STEPS, CellWeights, Recurrence
from .theory import Followed, Scales, followed
from .unroll import unroll
from .weights import isometry
from .words import words

_ACTIVATIONS = {"rnn_tanh": "tanh", "rnn_relu": "relu"}


def recurrent_stacks(found: Recurrence) -> list[Stack]:
    """One for each layer and direction."""
    batch = min((len(step) for step in found.inputs), default=0)
    inputs = [step[:batch] for step in found.inputs]
    if not batch:
        return []
    stacks = []
    for layer, directions in enumerate(found.layers):
        outputs = []
        for backwards, weights in enumerate(directions):
            which = [f"layer {layer}"] if len(found.layers) > 1 else []
            which += ["backwards"] if backwards else []
            made, states = _stack(found, weights, inputs[::-1] if backwards else inputs, which)
            stacks.append(made)
            outputs.append(states[::-1] if backwards else states)
        inputs = [torch.cat(each, 1) for each in zip(*outputs, strict=True)]
    return stacks


def _stack(
    found: Recurrence, weights: CellWeights, inputs: list[Tensor], notes: list[str]
) -> tuple[Stack, list[Tensor]]:
    unrolled = unroll(found.kind, weights, inputs)
    q_input = float(torch.stack(inputs).square().mean())
    scales = _scales(weights, q_input)
    activation = _ACTIVATIONS.get(found.kind, "gated")
    theory, reason = _theory(found, activation, scales, len(inputs), weights.hidden.numel())
    layers = tuple(
        Layer(
            found.where,
            scales.sigma_w,
            scales.sigma_b,
            isometry(weights.hidden),
            q,
            theory.q[i] if theory else None,
            growth,
            theory.growth[i] if theory and i + 1 < len(inputs) else None,
        )
        for i, (q, growth) in enumerate(zip(unrolled.q, unrolled.growth, strict=True))
    )
    said = theory.theory if theory else None
    if theory:
        notes = [*notes, "its inputs are counted as a bias"]
    if found.steps > len(inputs):
        notes = [*notes, f"only the first {STEPS} of {found.steps} steps were looked at"]
    made = Stack(
        kind="recurrence",
        layers=layers,
        depth=found.steps,
        activation=activation,
        normalization="",
        q_input=q_input,
        theory=said,
        reason=reason,
        notes=tuple(notes),
        words=words("recurrence", len(inputs), "", said, reason, layers),
    )
    return made, unrolled.outputs


def _scales(weights: CellWeights, q_input: float) -> Scales:
    """σ_w of the hidden weights; what comes in at each step drives the recurrence as a bias does."""
    hidden, entering = weights.hidden, weights.input
    bias = float(torch.stack(weights.biases).sum(0).square().mean()) if weights.biases else 0.0
    drive = entering.shape[1] * float(entering.square().mean()) * q_input
    return Scales(sqrt(hidden.shape[1] * float(hidden.square().mean())), sqrt(bias + drive))


def _theory(found: Recurrence, activation: str, scales: Scales, steps: int, count: int) -> tuple[Followed | None, str]:
    if activation not in ACTIVATIONS:
        return None, f"gated ({found.kind}): not described by this theory"
    if steps < 2:
        return None, "one time step alone has no depth"
    if not (isfinite(scales.sigma_w) and isfinite(scales.sigma_b)):
        return None, "not finite, in its weights or inputs"
    # The state begins at 0.
    return followed(ACTIVATIONS[activation], [scales] * steps, 0.0, count), ""
