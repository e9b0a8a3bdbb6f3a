"""A few real steps of the user's own training, watched as ``gradclinic run`` watches a script."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from torch import Tensor
from torch.optim import LBFGS

from gradclinic.capture import Monitor
from gradclinic.schema.record import Sink
from gradclinic.task import Task


class Trial:
    """Trains ``task.model`` itself, by an optimizer of its own.  Use as a context manager."""

    def __init__(self, task: Task, batches: Iterator[Any], sink: Sink) -> None:
        self.task = task
        self.optimizer = task.new_optimizer()
        self.steps = 0  #: taken so far
        self.broken = False  #: the loss is no number any more; no step is taken then
        self._batches = batches
        # The record of so few steps is not for tests on copies: they would cost more than all else together.
        self._monitor = Monitor(sink, tests=False)

    def take(self, count: int, tell: Callable[[float], None]) -> None:
        """``count`` more steps; what runs between two calls is not watched.  ``tell`` hears the share that is done.

        Raises UserError where a part of the task does not give what it should, and whatever the user's code raises.
        """
        task, optimizer = self.task, self.optimizer
        for place in range(0 if self.broken else count):
            tell(place / count)
            batch = next(self._batches)  # before the watch begins: a data loader may fork
            self._monitor.start([task.model], [optimizer])
            loss = self._step(batch)
            self.steps += 1
            if not bool(loss.isfinite()):
                self.broken = True
                break
        self._monitor.pause()
        self.optimizer.zero_grad()  # what is measured in between needs the room

    def _step(self, batch: Any) -> Tensor:
        if isinstance(self.optimizer, LBFGS):
            loss: Tensor = self.optimizer.step(lambda: self._backward(batch))  # type: ignore[no-untyped-call]
            return loss
        loss = self._backward(batch)
        self.optimizer.step()
        return loss

    def _backward(self, batch: Any) -> Tensor:
        self.optimizer.zero_grad()
        loss = self.task.loss_of(batch)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach()

    def __enter__(self) -> Trial:
        return self

    def __exit__(self, *_: object) -> None:
        self._monitor.stop()
        self.optimizer.zero_grad()
        self.optimizer.state.clear()  # what is measured afterwards needs the room
