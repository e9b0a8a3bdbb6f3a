"""The dense and convolutional layers of a model, and new weights for them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from .journal import Journal
from .nodes import WEIGHTED
from .weights import once, read_weight, write_weight

#: Gain of a layer whose output goes through the activation: 1/√E[φ(z)²] for z ~ N(0, 1), as in ``nn.init``.
KAIMING = {"relu": 2**0.5, "relu6": 2**0.5, "leaky_relu": 2**0.5, "gelu": 2**0.5, "silu": 2**0.5, "elu": 2**0.5,
           "mish": 2**0.5, "selu": 1.0, "tanh": 5 / 3, "softplus": 1.0, "sigmoid": 1.0}  # fmt: skip

Draw = Callable[[Tensor, float, torch.Generator], Tensor]
DrawBias = Callable[[Tensor, torch.Generator], Tensor]


def weighted_layers(model: nn.Module) -> list[tuple[str, nn.Module]]:
    """In order of registration, each once, however often it or its weight is shared; lazy ones have none yet."""
    found = [(name, module) for name, module in model.named_modules() if isinstance(module, WEIGHTED)]
    return once((name, module) for name, module in found if read_weight(module) is not None)


def redraw(journal: Journal, draw: Draw, gain: float, *, bias: DrawBias | None = None) -> int:
    """New weights for every dense and convolutional layer, by ``draw(empty, gain, generator)``; how many it was.

    The gain is that of the activation for all but the last layer, which no activation follows.  Biases become
    0, or what ``bias(empty, generator)`` gives for all but the last layer.  Draws are on the CPU in float32, so that
    every device gets the same.
    """
    layers = weighted_layers(journal.model)
    generator = journal.generator()
    for place, (_, layer) in enumerate(layers, 1):
        weight = read_weight(layer)
        assert weight is not None  # see weighted_layers
        empty = torch.empty(weight.shape, dtype=torch.float32)
        if isinstance(layer, nn.modules.conv._ConvTransposeNd):
            empty = empty.transpose(0, 1)  # torch keeps inputs first there
        values = draw(empty, gain if place < len(layers) else 1.0, generator)
        if isinstance(layer, nn.modules.conv._ConvTransposeNd):
            values = values.transpose(0, 1)
        write_weight(journal, layer, values)
        if isinstance(layer.bias, Tensor):
            drawn = bias(torch.empty(layer.bias.shape), generator) if bias and place < len(layers) else 0.0
            journal.write(layer.bias, drawn)
    return len(layers)
