"""The least value of a function of a few numbers, where it has one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf, isfinite

import torch
from torch import Tensor

#: Steps of the search, each with a line search: convex losses of ten outputs are there to 1e-6 after 10 to 20.
STEPS = 30
#: In units of the first value: below it, a loss in float32 has only rounding left to follow.
FLAT = 1e-6


def least(value: Callable[[], Tensor], free: Sequence[Tensor], reach: float) -> float | None:
    """The least of ``value()`` over the ``free`` float64 leaves, found by L-BFGS from where they stand.

    None where it is not finite, raises, or goes on falling when a number has moved by ``reach``: no least is there.
    Afterwards the leaves hold where it is least.
    """
    starts = [tensor.detach().clone() for tensor in free]
    best, place, unit = inf, starts, 0.0
    search = torch.optim.LBFGS(
        list(free), max_iter=STEPS, line_search_fn="strong_wolfe", tolerance_grad=FLAT, tolerance_change=FLAT * FLAT
    )

    def closure() -> Tensor:
        nonlocal best, place, unit
        total = value().double()
        found = float(total.detach())
        if not isfinite(found):
            raise _NoLeast
        unit = unit or max(abs(found), 1e-300)
        if found < best - FLAT * unit:  # the search may end elsewhere: at a minimum its line search divides by nothing
            best, place = found, [tensor.detach().clone() for tensor in free]
        slopes = torch.autograd.grad(total / unit, free, allow_unused=True)
        for tensor, slope in zip(free, slopes, strict=True):
            tensor.grad = torch.zeros_like(tensor) if slope is None else slope
        return total / unit

    try:
        search.step(closure)  # type: ignore[no-untyped-call]
    except (_NoLeast, RuntimeError, ValueError):  # the user's loss refuses such values
        return None
    with torch.no_grad():
        for tensor, there in zip(free, place, strict=True):
            tensor.copy_(there)
    moved = max(float((there - begin).abs().max()) for there, begin in zip(place, starts, strict=True))
    return best if moved < reach else None


class _NoLeast(Exception):
    pass
