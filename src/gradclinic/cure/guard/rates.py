"""A lower learning rate for the length of one step."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torch.optim import Optimizer


class LoweredRates:
    """Multiplies every group's rate by ``factor`` until ``give_back``.

    A schedule computes the rate anew, or from the last one, and scripts set it by hand; a change that lasts would be
    overwritten by some and multiplied again by others.
    """

    def __init__(self, optimizer: Optimizer, factor: float) -> None:
        self._kept: list[tuple[dict[str, Any], float | Tensor]] = []
        for group in optimizer.param_groups:
            rate = group.get("lr")
            if isinstance(rate, Tensor):
                self._kept.append((group, rate.detach().clone()))
                rate.data.mul_(factor)
            elif isinstance(rate, (int, float)):
                self._kept.append((group, rate))
                group["lr"] = rate * factor

    def give_back(self) -> None:
        for group, rate in self._kept:
            if isinstance(rate, Tensor):
                group["lr"].data.copy_(rate)
            else:
                group["lr"] = rate
