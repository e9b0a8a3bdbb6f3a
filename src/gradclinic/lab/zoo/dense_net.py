"""DenseNet (Huang 2017): each layer is given what all layers before it made."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class DenseNet(nn.Module):
    """One dense block: ``depth`` layers BN-ReLU-conv of ``growth`` channels each, every one beside its inputs.

    (N, channels, H, W) → (N, outputs); the head sees channels + depth·growth channels.
    """

    def __init__(self, channels: int, growth: int, depth: int, outputs: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(channels, growth, 3, padding=1, bias=False)
        self.layers = nn.ModuleList(
            nn.Sequential(
                nn.BatchNorm2d(growth * (place + 1)),
                nn.ReLU(),
                nn.Conv2d(growth * (place + 1), growth, 3, padding=1, bias=False),
            )
            for place in range(depth)
        )
        width = growth * (depth + 1)
        self.head = nn.Sequential(
            nn.BatchNorm2d(width), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, outputs)
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for layer in self.layers:
            x = torch.cat([x, layer(x)], 1)
        result: Tensor = self.head(x)
        return result
