"""Networks that the phases are measured of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gradclinic.measure.phase import phases
from gradclinic.schema.phase import Phases, Stack


def plain(
    depth: int, width: int, activation: Callable[[], nn.Module], sigma_w: float | None = None, sigma_b: float = 0.0
) -> nn.Sequential:
    """``depth`` layers with an activation between; weights as torch makes them, or normal with σ_w."""
    layers: list[nn.Module] = []
    for place in range(depth):
        layer = nn.Linear(width, width)
        if sigma_w is not None:
            nn.init.normal_(layer.weight, 0, sigma_w / width**0.5)
            nn.init.normal_(layer.bias, 0, sigma_b)
        layers += [layer, activation()] if place < depth - 1 else [layer]
    return nn.Sequential(*layers)


def found(model: nn.Module, *inputs: Any, backward: bool = False) -> Phases:
    """The loss is linear in the output: ‖δ‖ then says nothing of the loss."""

    def run() -> Tensor:
        output = model(*inputs)
        output = output[0] if isinstance(output, tuple) else output
        generator = torch.Generator().manual_seed(5)
        loss: Tensor = (output * torch.randn(output.shape, generator=generator, dtype=output.dtype)).sum()
        return loss

    return phases(model, run, backward=backward)


def only(model: nn.Module, *inputs: Any, backward: bool = False) -> Stack:
    (stack,) = found(model, *inputs, backward=backward).stacks
    return stack


def growths(stack: Stack) -> Tensor:
    """‖δ‖ per layer over the next, measured and by theory, (2, n)."""
    pairs = [(one.growth, one.growth_theory) for one in stack.layers if one.growth and one.growth_theory]
    return torch.tensor(pairs).T


class Residual(nn.Module):
    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        branch: Tensor = self.second(F.relu(self.first(x)))
        return x + branch


class WrittenOut(nn.Module):
    """A recurrence made of two linear layers."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.inward, self.state, self.width = nn.Linear(inputs, width), nn.Linear(width, width), width

    def forward(self, x: Tensor) -> Tensor:
        h = x.new_zeros(len(x), self.width)
        for signal in x.unbind(1):
            h = torch.tanh(self.inward(signal) + self.state(h))
        return h
