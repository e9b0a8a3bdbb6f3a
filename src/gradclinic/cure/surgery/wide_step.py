"""The optimizer's step in float32 for parameters that are kept in fewer bits."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor
from torch.optim import Optimizer

from .journal import Journal

LOW = (torch.float16, torch.bfloat16)

#: From the float32 values after a step to what is kept of them, in the parameter's own format.
Rounding = Callable[[Tensor, torch.dtype], Tensor]


def widen_steps(
    journal: Journal, rounding: Rounding, *, shadow: bool, scale: Callable[[], float] = lambda: 1.0
) -> None:
    """Parameters in half precision, and their gradients over ``scale()``, are float32 while the optimizer steps.

    Its averages are float32 then too.  ``shadow`` keeps the float32 values from step to step, so that a change too
    small for the parameter's own format adds up; without it they begin at what was kept.  A parameter that someone
    else changes between two steps begins anew.

    Raises:
        ValueError: there is no optimizer.
    """
    # By identity; the parameters live as long as the optimizer, and so does this.
    formats: dict[int, torch.dtype] = {}
    kept: dict[int, tuple[Tensor, Tensor]] = {}  # (float32 values, what was kept of them)

    @torch.no_grad()
    def before(optimizer: Optimizer) -> None:
        for parameter in _all(optimizer):
            gradient = parameter.grad
            if gradient is None or parameter.dtype not in LOW:
                continue
            formats[id(parameter)] = parameter.dtype
            wide, rounded = kept.get(id(parameter), (None, None))
            if wide is None or rounded is None or not torch.equal(rounded, parameter.data):
                wide = parameter.data.float()
            parameter.grad = None  # torch wants parameter and gradient of one format
            parameter.data = wide
            parameter.grad = gradient.float() / scale()

    @torch.no_grad()
    def after(optimizer: Optimizer) -> None:
        for parameter in _all(optimizer):
            own = formats.pop(id(parameter), None)
            if own is None:
                continue
            wide, gradient = parameter.data, parameter.grad
            parameter.grad = None
            parameter.data = rounding(wide, own)
            if gradient is not None:
                parameter.grad = (gradient * scale()).to(own)
            if shadow:
                kept[id(parameter)] = (wide, parameter.data.clone())

    journal.before_step(before)
    journal.after_step(after)


def nearest(values: Tensor, dtype: torch.dtype) -> Tensor:
    """As torch rounds."""
    return values.to(dtype)


def stochastic(generator: torch.Generator) -> Rounding:
    """To one of the two neighbours in bfloat16, with the chances that make the mean exact.

    Random bits are added below the 16 that are kept, and the sum is cut off; float16 is rounded to the nearest.
    """

    def rounding(values: Tensor, dtype: torch.dtype) -> Tensor:
        if dtype != torch.bfloat16:
            return values.to(dtype)
        noise = torch.randint(0, 1 << 16, values.shape, generator=generator, dtype=torch.int32).to(values.device)
        bits = (values.contiguous().view(torch.int32) + noise) & ~0xFFFF
        # Beyond the finite numbers there is nothing to round.
        return torch.where(values.isfinite(), bits.view(torch.float32), values).to(dtype)

    return rounding


def _all(optimizer: Optimizer) -> Iterator[Tensor]:
    for group in optimizer.param_groups:
        yield from group["params"]
