"""Weights of variance gain²/fan_in, which keep the signal of rectifiers."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .drawn_init import DrawnInit


class KaimingInit(DrawnInit):
    """He's initialisation."""

    id = "kaiming_init"
    title = "Kaiming initialisation"
    effect = "the forward signal keeps its size through layers with rectifiers"
    source = "He et al. 2015, arXiv:1502.01852; torch.nn.init.kaiming_normal_"
    usual = "relu"

    def draw(self, empty: Tensor, gain: float, generator: torch.Generator) -> Tensor:
        return nn.init.kaiming_normal_(empty, generator=generator).mul_(gain / 2**0.5)

    def call(self, gain: float) -> str:
        return "nn.init.kaiming_normal_(layer.weight)  # the last layer: divided by √2"
