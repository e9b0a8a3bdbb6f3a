"""Weights whose singular values are all the same, so that no direction of the signal is lost in depth."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .drawn_init import DrawnInit

#: Layers from which the spread of singular values tells: with fewer, orthogonal and Gaussian weights train alike.
DEEP = 6


class OrthogonalInit(DrawnInit):
    """Saxe's initialisation."""

    id = "orthogonal_init"
    title = "orthogonal initialisation"
    effect = "dynamical isometry: all directions of signal and gradient keep their size in deep narrow stacks"
    source = "Saxe et al. 2014, arXiv:1312.6120; Pennington et al. 2017; torch.nn.init.orthogonal_"
    usual = "linear"
    fewest = DEEP

    def draw(self, empty: Tensor, gain: float, generator: torch.Generator) -> Tensor:
        return nn.init.orthogonal_(empty, gain, generator=generator)

    def call(self, gain: float) -> str:
        return f"nn.init.orthogonal_(layer.weight, gain={gain:.4g})  # the last layer: gain=1"
