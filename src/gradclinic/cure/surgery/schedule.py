"""A learning rate that follows a rule, step by step, whatever loop it is."""

from __future__ import annotations

from collections.abc import Callable

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from .journal import Journal


def follow(journal: Journal, factor: Callable[[int], float]) -> None:
    """The rate of every group is its own times ``factor(step)``, ``step`` counting the steps taken: 0 for the first.

    Raises:
        ValueError: there is no optimizer.
    """
    optimizer = journal.optimizer
    if optimizer is None:
        raise ValueError("there is no optimizer")
    for group in optimizer.param_groups:  # the schedule writes to both
        journal.group(group, "lr", group["lr"])
        journal.group(group, "initial_lr", group["lr"])
    journal.set(optimizer, "step", optimizer.step)  # the schedule puts itself around it
    schedule = LambdaLR(optimizer, factor)

    def after(optimizer: Optimizer) -> None:
        schedule.step()

    journal.after_step(after)
