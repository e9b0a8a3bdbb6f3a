"""A trainable factor of a branch."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Gate(nn.Module):
    """0 at the start (ReZero, Bachlechner et al. 2021)."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))

    def forward(self, branch: Tensor) -> Tensor:
        """Any shape."""
        return branch * self.weight
