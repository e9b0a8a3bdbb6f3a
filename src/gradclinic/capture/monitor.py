"""The monitor: attaches the watches to the training in this process, and takes them away again."""

from __future__ import annotations

import os
from collections.abc import Iterable

from torch import nn
from torch.optim import Optimizer

from gradclinic.measure import vitals
from gradclinic.schema.record import Sink

from .backward import BackwardWatch
from .clipping import ClipWatch
from .compiled import CompileWatch, is_compiled
from .guarded import Guarded, Treatment
from .recorder import Recorder
from .safety import Guard
from .steps import StepListener, StepWatch

#: The recorder's methods that torch calls, through a watch, in the middle of the user's training.
CALLBACKS = (
    "backward_begins", "backward_ends", "gradients_taken", "step_begins", "step_ends", "step_skipped",
    "gradients_clipped", "note_compiled", "finish",
)  # fmt: skip


class Monitor:
    """Watches the training in this process and puts the rows of :mod:`gradclinic.schema.record` into ``sink``.

    Nothing that happens in here reaches the user's code: exceptions become ``capture_failure`` events, and a
    forked child stops watching.  ``start`` and ``stop`` are idempotent.  ``tests``: a step of a run that looks sick
    may be run again on copies.  ``treatment`` may change the steps themselves; without one nothing is changed.
    """

    def __init__(self, sink: Sink, *, tests: bool = True, treatment: Treatment | None = None) -> None:
        self._guard = Guard(self._report_failure)
        self._recorder = recorder = Recorder(sink, lambda: self._guard.seconds, tests=tests)
        for name in CALLBACKS:
            setattr(recorder, name, self._guard(getattr(recorder, name)))
        self._treatment = treatment
        listener: StepListener = recorder
        closure_ends = None
        if treatment is not None:
            listener = guarded = Guarded(recorder, treatment, self._guard)
            recorder.step_skipped = guarded.step_skipped  # type: ignore[method-assign]
            closure_ends = guarded.closure_ends
        self._watches = (
            BackwardWatch(recorder), StepWatch(listener, closure_ends), ClipWatch(recorder), recorder.scaler,
            CompileWatch(recorder.note_compiled), recorder.functions,
        )  # fmt: skip
        self._running = self._stopped = self._forks_known = False
        self._armed = False  # a look was due when the watch was paused

    @property
    def seconds(self) -> float:
        """Time spent inside gradclinic on the training thread so far."""
        return self._guard.seconds + self._recorder.hooks_seconds

    def start(self, models: Iterable[nn.Module] = (), optimizers: Iterable[Optimizer] = ()) -> None:
        """Begins to watch.

        ``models`` are named by their own paths; without them, every model alive is found.  ``optimizers`` limits
        the watch to these; without them, each one that steps is watched.
        """
        if self._running:
            return
        self._running, self._stopped = True, False
        self._guard(vitals.prepare)()
        given = list(models)
        if given:
            self._guard(self._recorder.roster.discover)(given)
        self._recorder.only(optimizers)
        for watch in self._watches:
            watch.attach()
        self._recorder.look.install()
        if self._armed:
            self._recorder.look.arm()
        if any(is_compiled(module) for model in given for module in model.modules()):
            self._recorder.note_compiled("model")
        self._recorder.begin()
        if not self._forks_known:
            self._forks_known = True
            if self._treatment is not None:
                recorder = self._recorder
                self._guard(self._treatment.begin)(recorder.put, recorder.roster.models, recorder.scaler.scaler)
            os.register_at_fork(after_in_child=self._detach)

    def pause(self) -> None:
        """Takes everything away for a while; ``start`` goes on with the same run."""
        self._detach()

    def stop(self) -> None:
        """Stops watching, removes everything that was attached, and hands over what is pending."""
        if not self._stopped:
            self._stopped = True
            if self._treatment is not None:
                self._guard(self._treatment.end)()
            self._recorder.finish()
            self._detach()

    def _detach(self) -> None:
        if self._running:
            self._running = False
            self._armed = self._recorder.look.armed
            for watch in self._watches:
                watch.detach()
            self._recorder.look.remove()

    def _report_failure(self, where: str, error: str) -> None:
        self._recorder.put("capture_failure", {"where": where, "error": error})
