"""One recipe trained on one seed, in turns."""

from __future__ import annotations

import time
from collections.abc import Iterator
from math import isfinite
from typing import Any

from torch import nn
from torch.optim import LBFGS, Optimizer

from gradclinic.errors import UserError
from gradclinic.task import Target, Task, Whole

from ..recipe import Recipe
from .generators import Generators, unchanged
from .outcome import Outcome


class Trial:
    """Trains as a plain loop does: the same seed and recipe give the same losses to the bit wherever they are run.

    The model is built when the first step is asked for.  Whatever the user's code raises ends the trial, and is its
    result; what the target itself lacks is raised.
    """

    def __init__(self, target: Target, recipe: Recipe, seed: int) -> None:
        self.recipe, self.seed = recipe, seed
        self._target = target
        self._generators = Generators()
        self._begun: tuple[Task, nn.Module, Optimizer, Iterator[Any]] | None = None
        self._losses: list[float] = []
        self._ended = ""
        self._seconds = 0.0
        self._before: float | None = None

    def advance(self, steps: int) -> Outcome:
        """Trains until ``steps`` steps have been taken altogether, and evaluates the metric."""
        began = time.perf_counter()
        with self._generators.turn():
            try:
                self._train(steps)
                metric = self._metric()
            except UserError:
                raise
            except Exception as error:
                self._ended = " ".join(f"{type(error).__name__}: {error}".split())[:300]
                metric = None
        self._seconds += time.perf_counter() - began
        return Outcome(len(self._losses), tuple(self._losses), metric, self._ended, self._seconds, self._before)

    def _train(self, steps: int) -> None:
        if self._ended or len(self._losses) >= steps:
            return
        if self._begun is None:
            task = self._target.build(self.seed)
            model, optimizer = self.recipe.apply(task.model, task.new_optimizer(), reversible=False)
            self._begun = (task, model, optimizer, task.stream())
            if not self.recipe.changes:
                self._before = self._metric()
        task, model, optimizer, batches = self._begun
        while len(self._losses) < steps:
            loss = one_step(task, model, optimizer, next(batches))
            self._losses.append(loss)
            if not isfinite(loss):
                self._ended = "diverged"
                return

    def _metric(self) -> float | None:
        return metric_of(*self._begun[:2]) if self._begun else None


def metric_of(task: Task, model: nn.Module) -> float | None:
    """The user's metric, with modes and generators left as they were; None where there is none or it is no number."""
    if task.metric is None:
        return None
    modes = {module: module.training for module in model.modules()}
    with unchanged():
        value = float(task.metric(model))
    for module, training in modes.items():
        module.training = training
    return value if isfinite(value) else None


def one_step(task: Task, model: nn.Module, optimizer: Optimizer, batch: Any) -> float:
    """One step of a plain loop; the loss before it."""

    def closure() -> Any:
        optimizer.zero_grad()
        if isinstance(batch, Whole):
            return batch.gradient(task.loss, model)
        loss = task.loss(model, batch)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    if isinstance(optimizer, LBFGS):
        return float(optimizer.step(closure))  # type: ignore[no-untyped-call]
    loss = closure()
    optimizer.step()
    return float(loss.detach())
