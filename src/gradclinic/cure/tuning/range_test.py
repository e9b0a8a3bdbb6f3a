"""The loss while the learning rate rises, on a model built for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite

from torch.optim import Optimizer

from gradclinic.errors import UserError
from gradclinic.measure.range_test import diverged
from gradclinic.task import Target

from ..trials.trial import one_step

#: Steps of a range test (Smith 2017; fastai, Lightning).
STEPS = 100
Tell = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Curve:
    """Rates and the losses before the steps at them."""

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    diverged: bool  #: it ended before the highest rate

    @property
    def highest(self) -> float:
        """The highest rate whose step left a finite loss that had not run away; 0 where there is none."""
        borne = self.rates[: -2 if self.diverged else None]
        return borne[-1] if borne else 0.0


def range_test(target: Target, low: float, high: float, seed: int, tell: Tell, steps: int = STEPS) -> Curve:
    """Trains a fresh model while the rate rises geometrically from ``low`` to ``high``; ends where the loss runs away.

    Nothing that is the caller's changes but the generators, which are the caller's to restore.

    Raises:
        UserError: the loss is not finite before the first step, where no rate has had a part in it yet.
    """
    task = target.build(seed)
    optimizer, batches = task.new_optimizer(), task.stream()
    shares = _shares(optimizer)
    rates, losses, away = [], list[float](), False
    for step in range(steps):
        tell("range test", step / steps)
        rate = low * (high / low) ** (step / (steps - 1))
        for group, share in zip(optimizer.param_groups, shares, strict=True):
            group["lr"] = rate * share
        rates.append(rate)
        losses.append(one_step(task, task.model, optimizer, next(batches)))
        if not isfinite(losses[0]):
            raise UserError(
                f"the loss is {losses[0]} at the first step, before any learning rate matters: "
                f"gradclinic checkup {target.name} says why"
            )
        away = diverged(losses)
        if away:
            break
    return Curve(tuple(rates), tuple(losses), away)


def _shares(optimizer: Optimizer) -> list[float]:
    """Each group's rate as a part of the fastest one's."""
    rates = [float(group["lr"]) for group in optimizer.param_groups]
    highest = max(rates)
    return [rate / highest if highest > 0 else 1.0 for rate in rates]
