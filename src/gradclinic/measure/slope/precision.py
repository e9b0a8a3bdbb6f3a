"""How finely the slope of a whole loss can be measured in one precision."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .nodes import nodes

#: Rounding inside a model adds up over its operations; 16 units in the last place of the loss cover reductions of
#: some hundred terms (their error grows like the square root of their number), and each limit on top is ten times that.
ULPS = 16


@dataclass(frozen=True, slots=True)
class Precision:
    """Steps and limits for one dtype; all relative."""

    dtype: torch.dtype
    #: The smaller of two step sizes, in units of each parameter's root mean square.  A power of two: x + step is exact.
    #: Small, so that next to no ReLU changes sides; large against rounding.
    step: float
    #: A disagreement of this size is looked into.
    trigger: float
    #: A disagreement of this size is one, even if its place is not found: formulas that are wrong are off by more,
    #: deliberate approximations by less.
    tolerance: float

    @property
    def epsilon(self) -> float:
        return float(torch.finfo(self.dtype).eps)

    @property
    def name(self) -> str:
        return str(self.dtype).removeprefix("torch.")


#: step: the cube root of 3·eps balances truncation against rounding; a smaller step is then 64 times smaller.
DOUBLE = Precision(torch.float64, 2.0**-17, 1e-6, 1e-2)
#: With a loss of order 1 and slopes of a tenth of it, rounding leaves 0.3% of the slope uncertain.
SINGLE = Precision(torch.float32, 2.0**-7, 2e-2, 2e-2)


def coarsest(loss: Tensor) -> torch.dtype:
    """The coarsest real dtype that a tensor of the loss's autograd graph has."""
    found = {loss.dtype}
    for node in nodes([loss]):
        if hasattr(node, "variable"):
            continue  # a leaf holds what it holds exactly
        # The dtypes of what the operation returned.
        found |= {meta.dtype for meta in getattr(node, "_input_metadata", ())}
    real = {dtype.to_real() if dtype.is_complex else dtype for dtype in found}
    return max((dtype for dtype in real if dtype.is_floating_point), key=lambda dtype: torch.finfo(dtype).eps)
