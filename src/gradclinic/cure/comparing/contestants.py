"""The optimizers that can be compared, each as a target that trains with it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from torch.optim import Optimizer

from gradclinic.task import Target, Task, Whole, samples_of

from ..recipe import Change, Recipe
from ..remedies.optimizer import OFFERED, USUAL
from ..tuning.halving import FEWEST

#: Full-batch gradient descent, and the optimizer that the task comes with.
WHOLE, OWN = "gd", "own"
NAMES = (WHOLE, *OFFERED, OWN)
#: The ones that every text names.
DEFAULT = (WHOLE, "sgd", "momentum", "rmsprop", "adagrad", "adam")


@dataclass(frozen=True, slots=True)
class Contestant:
    """One optimizer."""

    name: str
    target: Target  #: its task has this optimizer, its usual rate, and ``steps``
    steps: int  #: those of the user's task; fewer where each costs many gradients
    cost: int = 1  #: of a step, in gradients of one batch
    why: str = ""  #: why it is left out


@dataclass(frozen=True, slots=True)
class Round:
    """What one call of the task's ``batches`` gives."""

    batches: int  #: as far as they were counted
    samples: int
    ends: bool  #: before ``most`` of them

    @classmethod
    def count(cls, task: Task, most: int) -> Round:
        """Counts at most ``most`` batches and their samples."""
        sizes = [samples_of(batch) for batch in islice(iter(task.batches()), most + 1)]
        return cls(len(sizes), sum(sizes), 0 < len(sizes) <= most)


def contestants(target: Target, names: Sequence[str], seed: int, runs: float) -> list[Contestant]:
    """In the order of ``names``; ``runs`` is what one training by full-batch descent may cost, in training runs.

    The generators are the caller's to restore.
    """
    steps = target.build(seed).steps
    return [
        _whole(target, seed, runs)
        if name == WHOLE
        else Contestant(name, target if name == OWN else target.changed(target.name, _with(name)), steps)
        for name in names
    ]


def _with(name: str) -> Callable[[Task], Task]:
    recipe = Recipe.of(Change("optimizer", {"name": name, "lr": USUAL[name]}))

    def change(task: Task) -> Task:
        def optimizer(parameters: Any) -> Optimizer:
            return recipe.apply(task.model, task.optimizer(parameters), reversible=False)[1]

        return dataclasses.replace(task, optimizer=optimizer)

    return change


def _whole(target: Target, seed: int, runs: float) -> Contestant:
    """As many steps as ``runs`` training runs have gradients for, but no more than the user's."""
    task = target.build(seed)
    fewest = 2 * FEWEST
    found = Round.count(task, max(int(runs * task.steps / fewest), 1))
    if not found.ends:
        why = (
            f"a round of its batches has no end, or more than {found.batches - 1:,} of them, so that {runs:g} training"
            f" runs pay for fewer than {fewest} of its steps; --gd-runs gives it more"
        )
        return Contestant(WHOLE, target, task.steps, found.batches, why)
    steps = min(task.steps, int(runs * task.steps / found.batches))

    def change(task: Task) -> Task:
        own = _with("sgd")(task)
        whole = Whole(task.batches, found.samples)
        return dataclasses.replace(own, batches=lambda: iter((whole,)), steps=steps)

    return Contestant(WHOLE, target.changed(target.name, change), steps, found.batches)
