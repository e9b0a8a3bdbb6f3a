"""The dense and convolutional layers of a model, and new weights for them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from .journal import Journal
from .nodes import WEIGHTED

#: Gain of a layer whose output goes through the activation: 1/√E[φ(z)²] for z ~ N(0, 1), as in ``nn.init``.
KAIMING = {"relu": 2**0.5, "relu6": 2**0.5, "leaky_relu": 2**0.5, "gelu": 2**0.5, "silu": 2**0.5, "elu": 2**0.5,
           "mish": 2**0.5, "selu": 1.0, "tanh": 5 / 3, "softplus": 1.0, "sigmoid": 1.0}  # fmt: skip

Draw = Callable[[Tensor, float, torch.Generator], Tensor]


def weighted_layers(model: nn.Module) -> list[tuple[str, nn.Module]]:
    """In order of registration, each once, however often it is shared."""
    found = [(name, module) for name, module in model.named_modules() if isinstance(module, WEIGHTED)]
    return [(name, module) for name, module in found if isinstance(module.weight, Tensor)]


def redraw(journal: Journal, draw: Draw, gain: float, *, bias: float = 0.0) -> int:
    """New weights for every dense and convolutional layer, by ``draw(empty, gain, generator)``; how many it was.

    The gain is that of the activation for all but the last layer, which no activation follows.  Biases become
    ``bias``.  Draws are on the CPU in float32, so that every device gets the same.
    """
    layers = weighted_layers(journal.model)
    generator = journal.generator()
    for place, (_, layer) in enumerate(layers, 1):
        weight: Tensor = layer.weight  # type: ignore[assignment]
        empty = torch.empty(weight.shape, dtype=torch.float32)
        if isinstance(layer, nn.modules.conv._ConvTransposeNd):
            empty = empty.transpose(0, 1)  # torch keeps inputs first there
        values = draw(empty, gain if place < len(layers) else 1.0, generator)
        if isinstance(layer, nn.modules.conv._ConvTransposeNd):
            values = values.transpose(0, 1)
        journal.write(weight, values.to(weight.dtype))
        if isinstance(layer.bias, Tensor):
            journal.write(layer.bias, bias)
    return len(layers)
