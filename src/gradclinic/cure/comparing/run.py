"""One training to its end, with what is measured on the way."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from math import isfinite

from torch import nn
from torch.optim import Optimizer

from gradclinic.errors import UserError
from gradclinic.measure.noise_scale import NoiseScale
from gradclinic.task import Task

from ..trials import Outcome
from ..trials.trial import metric_of, one_step
from ..tuning.rounds import recipe_of
from .contestants import Contestant
from .probe import Probe, copied, update_ratio

#: Shares of the training at which the noise is measured: it changes most at the start (McCandlish et al. 2018, fig. 5).
NOISE_AT = (0.0, 1 / 16, 1 / 4, 1 / 2, 1.0)
#: Steps whose updates are measured, evenly over the training.
UPDATES = 24


@dataclass(slots=True)
class Run:
    """One optimizer on one seed."""

    seed: int
    losses: list[float] = field(default_factory=list)  #: of each step's batch, before the step
    seconds: list[float] = field(default_factory=list)  #: that each step took, its batch included
    updates: list[tuple[int, float]] = field(default_factory=list)  #: step, ‖Δw‖/‖w‖
    noise: list[tuple[int, NoiseScale]] = field(default_factory=list)
    margin: float | None = None  #: at the end
    metric: float | None = None
    ended: str = ""  #: as in an outcome

    @property
    def outcome(self) -> Outcome:
        """As a trial has it."""
        return Outcome(len(self.losses), tuple(self.losses), self.metric, self.ended, sum(self.seconds))


def train(
    contestant: Contestant, lr: float, seed: int, probe: Probe, tell: Callable[[float], None], *, noise: bool
) -> Run:
    """Trains for all of the contestant's steps; what the user's code raises ends the run, and is its result.

    The same losses as a plain loop's to the bit.  The generators are the caller's to restore.
    """
    run = Run(seed)
    try:
        task = contestant.target.build(seed)
        model, optimizer = recipe_of(lr).apply(task.model, task.new_optimizer(), reversible=False)
        _train(run, task, model, optimizer, contestant.steps, probe, tell, noise=noise)
        if not run.ended:
            run.margin = probe.margin(task, model, optimizer, seed)
            run.metric = metric_of(task, model)
    except UserError:
        raise
    except Exception as error:
        run.ended = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    return run


def _train(
    run: Run,
    task: Task,
    model: nn.Module,
    optimizer: Optimizer,
    steps: int,
    probe: Probe,
    tell: Callable[[float], None],
    *,
    noise: bool,
) -> None:
    looks = {round(share * steps) for share in NOISE_AT} if noise else set[int]()
    updates = {steps * place // UPDATES for place in range(UPDATES)}
    stream = task.stream()
    for step in range(steps):
        tell(step / steps)
        if step in looks:
            _look(run, task, model, probe, step)
        before = copied(model) if step in updates else None
        began = time.perf_counter()
        loss = one_step(task, model, optimizer, next(stream))
        run.seconds.append(time.perf_counter() - began)
        run.losses.append(loss)
        if not isfinite(loss):
            run.ended = "diverged"
            return
        if before is not None and (ratio := update_ratio(model, before)) is not None:
            run.updates.append((step, ratio))
    if steps in looks:
        _look(run, task, model, probe, steps)


def _look(run: Run, task: Task, model: nn.Module, probe: Probe, step: int) -> None:
    found = probe.noise(task, model, run.seed)
    if found is not None:
        run.noise.append((step, found))
