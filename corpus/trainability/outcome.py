"""What became of a set-up when it was really trained."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from math import isfinite

import torch
from torch import nn

from gradclinic.task import Task, seed_all

from .setups import Setup

#: A training has arrived when it took a tenth of the best constant prediction's loss away.
ARRIVED = 0.9


@dataclass(frozen=True, slots=True)
class Outcome:
    """Losses over all the data, in batches, as the training sees them.

    ``steps`` were taken before the loss was no number.
    """

    before: float
    after: float
    constant: float
    steps: int

    @property
    def trained(self) -> bool:
        """Whether it really improved on the constant prediction."""
        return isfinite(self.after) and self.after < ARRIVED * self.constant


def train(setup: Setup, seed: int = 0) -> Outcome:
    """Trains a set-up to the end of its budget."""
    seed_all(seed)
    task = setup.task()
    before = _whole(task)
    optimizer, batches, taken = task.new_optimizer(), task.stream(), 0
    for _ in range(task.steps):
        loss = task.loss_of(next(batches))
        if not bool(loss.isfinite()):
            break
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        taken += 1
    return Outcome(before, _whole(task), setup.data().constant_loss, taken)


@torch.no_grad()
def _whole(task: Task) -> float:
    """Mean over one pass through the data; a mean over single batches at the end of a run misleads."""
    model: nn.Module = copy.deepcopy(task.model)  # batch normalisation counts what it sees
    total, count = 0.0, 0
    for batch in task.batches():
        total += float(task.loss(model, batch)) * len(batch[0])
        count += len(batch[0])
    return total / count
