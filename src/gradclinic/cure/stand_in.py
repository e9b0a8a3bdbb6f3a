"""Another optimizer works behind the one that a running program holds."""

from __future__ import annotations

import types
from typing import Any

from torch.optim import Optimizer


def stand_in(held: Optimizer, working: Optimizer) -> None:
    """``held.step`` and ``held.zero_grad`` become those of ``working``; schedules of ``held`` go on to count.

    What a schedule makes of the learning rates of ``held`` is applied to those of ``working`` as a factor, group by
    group; groups that only ``working`` has follow the first.
    """
    begun = [float(group["lr"]) for group in held.param_groups]
    own = [float(group["lr"]) for group in working.param_groups]
    step, zero_grad = working.step, working.zero_grad

    def stepped(self: Optimizer, closure: Any = None) -> Any:
        factors = [float(g["lr"]) / lr if lr else 1.0 for g, lr in zip(held.param_groups, begun, strict=True)]
        for place, (group, lr) in enumerate(zip(working.param_groups, own, strict=True)):
            group["lr"] = lr * factors[place if place < len(factors) else 0]
        return step() if closure is None else step(closure)

    held.step = types.MethodType(stepped, held)  # type: ignore[method-assign]  # a method, as schedules expect
    held.zero_grad = zero_grad  # type: ignore[method-assign]
