"""Lets somebody treat the steps that are watched: told of each before it is taken, when its gradients are there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from torch import nn
from torch.amp.grad_scaler import GradScaler
from torch.optim import Optimizer

from gradclinic.schema.step_seen import StepSeen

from .recorder import Recorder
from .safety import Guard


class Treatment(Protocol):
    """What may change a step: ``gradclinic.cure.guard``.  ``look`` reads the step, and may wait for a device."""

    def begin(
        self,
        put: Callable[[str, dict[str, Any]], None],
        models: Callable[[], Sequence[nn.Module]],
        scaler: Callable[[], GradScaler | None],
    ) -> None: ...

    def step_begins(self, optimizer: Optimizer, look: Callable[[], StepSeen]) -> None: ...

    def step_skipped(self, optimizer: Optimizer, look: Callable[[], StepSeen]) -> None: ...

    def step_over(self) -> None: ...

    def end(self) -> None: ...


class Guarded:
    """Tells a recorder of each step, and a treatment after it has been measured and before it is taken.

    The recorder's methods come wrapped by ``safety`` already; the treatment's are wrapped here.
    """

    def __init__(self, recorder: Recorder, treatment: Treatment, safety: Guard) -> None:
        self._recorder = recorder
        self._recorder_skipped = recorder.step_skipped
        self._begins, self._skipped = safety(treatment.step_begins), safety(treatment.step_skipped)
        self._over = safety(treatment.step_over)

    def step_begins(self, optimizer: Optimizer, has_closure: bool) -> None:
        self._recorder.step_begins(optimizer, has_closure)
        if not has_closure and self._recorder.wants(optimizer):
            self._begins(optimizer, lambda: self._recorder.seen(optimizer))

    def closure_ends(self, optimizer: Optimizer) -> None:
        """The first call of a step's closure has made its gradients."""
        if self._recorder.wants(optimizer):
            self._begins(optimizer, lambda: self._measured(optimizer))

    def step_ends(self, optimizer: Optimizer, has_closure: bool) -> None:
        self._over()
        self._recorder.step_ends(optimizer, has_closure)

    def step_skipped(self, optimizer: Optimizer, scale: float | None) -> None:
        # The recorder ends the step, so the treatment comes first.
        if self._recorder.wants(optimizer):
            self._skipped(optimizer, lambda: self._measured(optimizer))
        self._recorder_skipped(optimizer, scale)

    def _measured(self, optimizer: Optimizer) -> StepSeen:
        self._recorder.measure(optimizer)
        return self._recorder.seen(optimizer)
