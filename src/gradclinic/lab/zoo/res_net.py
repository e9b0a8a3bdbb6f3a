"""Residual networks (He 2016): each block adds to what it was given."""

from __future__ import annotations

from torch import Tensor, nn


class ResidualBlock(nn.Module):
    """x + branch(x)·scale, then the activation, where there is one."""

    def __init__(self, branch: nn.Module, scale: float = 1.0, after: nn.Module | None = None) -> None:
        super().__init__()
        self.branch, self.scale, self.after = branch, scale, after if after is not None else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.after(x + self.scale * self.branch(x))
        return result


class ResNet(nn.Module):
    """``blocks`` blocks of two 3×3 convolutions with batch normalisation around a shortcut; ReLU behind the sum.

    (N, channels, H, W) → (N, outputs).  All blocks have ``width`` channels, so that every shortcut is the identity.
    """

    def __init__(self, channels: int, width: int, blocks: int, outputs: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()
        )
        self.blocks = nn.Sequential(*(ResidualBlock(self._branch(width), after=nn.ReLU()) for _ in range(blocks)))
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, outputs))

    @staticmethod
    def _branch(width: int) -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.head(self.blocks(self.stem(x)))
        return result


def residual_mlp(inputs: int, width: int, depth: int, outputs: int, scale: float = 1.0) -> nn.Sequential:
    """``depth`` blocks x + scale·W₂ relu(W₁ x), after a linear stem and before a linear head.

    (N, inputs) → (N, outputs).  With a scale of 1/√depth neither signal nor gradient grows with depth.
    """
    blocks = [
        ResidualBlock(nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width)), scale)
        for _ in range(depth)
    ]
    return nn.Sequential(nn.Linear(inputs, width), *blocks, nn.Linear(width, outputs))
