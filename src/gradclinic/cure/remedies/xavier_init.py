"""Weights of variance 2·gain²/(fan_in + fan_out), between what the signal and what its gradient want."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .drawn_init import DrawnInit


class XavierInit(DrawnInit):
    """Glorot's initialisation."""

    id = "xavier_init"
    title = "Xavier initialisation"
    effect = "signal and gradient keep their size through layers that are nearly linear around 0"
    source = "Glorot and Bengio 2010; torch.nn.init.xavier_normal_"
    usual = "linear"

    def draw(self, empty: Tensor, gain: float, generator: torch.Generator) -> Tensor:
        return nn.init.xavier_normal_(empty, gain, generator=generator)

    def call(self, gain: float) -> str:
        return f"nn.init.xavier_normal_(layer.weight, gain={gain:.4g})  # the last layer: gain=1"
