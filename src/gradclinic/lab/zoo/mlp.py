"""Fully connected layers, one after the other."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn


def mlp(
    inputs: int,
    width: int,
    depth: int,
    outputs: int,
    activation: Callable[[], nn.Module] = nn.ReLU,
    normalization: Callable[[int], nn.Module] | None = None,
) -> nn.Sequential:
    """``depth`` hidden layers of ``width`` with the activation behind each, and a linear head.

    (N, inputs) → (N, outputs).  ``normalization(width)`` stands before each activation.
    """
    layers: list[nn.Module] = []
    for place in range(depth):
        layers.append(nn.Linear(width if place else inputs, width))
        if normalization is not None:
            layers.append(normalization(width))
        layers.append(activation())
    return nn.Sequential(*layers, nn.Linear(width if depth else inputs, outputs))
