"""Convolutions, one after the other."""

from __future__ import annotations

from torch import nn


def plain_conv(channels: int, width: int, depth: int, outputs: int, *, normalized: bool = True) -> nn.Sequential:
    """``depth`` 3×3 convolutions of ``width`` channels, mean over the image, linear head (the plain net of He 2016).

    (N, channels, H, W) → (N, outputs).  ``normalized``: with batch normalisation (Ioffe, Szegedy 2015).
    """
    layers: list[nn.Module] = []
    for place in range(depth):
        layers.append(nn.Conv2d(width if place else channels, width, 3, padding=1, bias=not normalized))
        if normalized:
            layers.append(nn.BatchNorm2d(width))
        layers.append(nn.ReLU())
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, outputs))
