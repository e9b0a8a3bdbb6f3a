"""The way back: keeps states, goes back to the last good one, and lowers the learning rate each time."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Sequence

from torch import nn
from torch.amp.grad_scaler import GradScaler
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from .decision import Patient
from .log import Log
from .pace import Pace
from .settings import Guard
from .shelf import Shelf
from .snapshot import Subject, finite
from .surroundings import schedulers_of


class Retreat:
    """Holds the optimizers met so far, what is known of each, and the states to go back to.

    ``models()`` gives the models alive; ``scaler()`` the gradient scaler in use.
    """

    def __init__(
        self,
        settings: Guard,
        models: Callable[[], Sequence[nn.Module]],
        scaler: Callable[[], GradScaler | None],
        log: Log,
    ) -> None:
        self._settings = settings
        self._models, self._scaler, self._log = models, scaler, log
        self._shelf = Shelf(settings.folder)
        self._pace = Pace()
        self._optimizers: dict[int, Optimizer] = {}
        self._schedulers: list[LRScheduler] = []
        self.patients: dict[int, Patient] = {}  #: by the optimizer's number
        self.factor = 1.0  #: that learning rates are multiplied by
        self._factor_before: float | None = None  # until the first loss after going back
        self._in_vain = 0  # times in a row that going back led to nothing better
        self._to_beat = math.inf  # the lowest loss when it last went back

    def meet(self, optimizer: Optimizer, index: int) -> Patient:
        """What is known of an optimizer; one that is new makes the states so far useless."""
        if self._optimizers.get(index) is not optimizer:
            self._optimizers[index] = optimizer
            self.patients[index] = Patient()
            self._shelf.clear()
            self._pace.hurry()
        return self.patients[index]

    def due(self) -> bool:
        """Whether the state of now should be kept, and is worth it."""
        return self._settings.times > 0 and self._pace.due() and all(p.calm for p in self.patients.values())

    def reach(self, tick: int) -> int:
        """The tick of the state that it would go back to; -1: there is none, or it has gone back often enough."""
        if self._done() >= self._settings.times:
            return -1
        state = self._shelf.good(tick)
        return -1 if state is None else state.tick

    def level_there(self, index: int, tick: int) -> float:
        """The loss's level at the state that it would go back to: going back to a worse place is no cure."""
        state = self._shelf.good(tick)
        there = None if state is None else state.patients.get(index)
        return math.inf if there is None else there.losses.level

    def weights_broken(self) -> bool:
        """Whether a weight is not finite.  Reads them all, and waits for the device."""
        return not all(finite(tensor) for tensor in self._subject().weights())

    def keep(self, tick: int) -> None:
        """Keeps the state of now, before a step changes it."""
        subject = self._subject()
        lack = self._shelf.room(subject) if self._pace.kept == 0 else None
        if lack is not None:
            self._pace.stop()
            self._log.once("no way back", lack)
            return
        # Schedulers are made at the start, some of them after a while; looking for them takes tens of milliseconds.
        if self._pace.kept.bit_count() <= 1:
            self._schedulers = schedulers_of(subject.optimizers)
        began = time.perf_counter()
        self._shelf.put(tick, subject, self._scaler(), self._schedulers, self.patients)
        self._pace.took(time.perf_counter() - began)

    def go_back(self, patient: Patient, tick: int, why: str) -> None:
        """Restores the last good state, where ``reach`` says that there is one."""
        state = self._shelf.good(tick)
        if state is None:
            return
        self._to_beat = min([self._to_beat, *patient.losses.first, *([patient.losses.best] * patient.losses.known)])
        self._in_vain += 1
        self._factor_before, self.factor = self.factor, self.factor * 0.5**self._in_vain
        # The same draws would lead to the same place again, so the second time in a row others are drawn.
        state.restore(generators=self._in_vain == 1)
        self._shelf.forget_after(state)
        self.patients.update(copy.deepcopy(state.patients))
        left = self._settings.times - self._done() - 1
        self._log.act("roll back", why, to=state.tick, rate_factor=self.factor, left=left)

    def _done(self) -> int:
        return self._log.counts.get("roll back", 0)

    def look_back(self, patient: Patient, loss: float | None) -> None:
        """Judges by the next losses whether going back was right.

        Where the first one is as high with the earlier weights, the data have changed and not the weights: the rate is
        given back, and the level of the loss is learned anew.
        """
        if patient.losses.known and patient.losses.best < self._to_beat:
            self._in_vain, self._to_beat = 0, math.inf
        if self._factor_before is None or loss is None:
            return
        before, self._factor_before = self._factor_before, None
        if patient.losses.high(loss):
            self.factor, self._in_vain, self._to_beat = before, 0, math.inf
            patient.losses = type(patient.losses)()
            self._log.act("new level", "the loss is as high with the earlier weights", loss=loss, rate_factor=before)

    def mend_buffers(self) -> None:
        """A bad batch goes through running statistics before any step: those that are not finite any more go back."""
        state = self._shelf.newest
        mended = 0 if state is None else state.snapshot.mend_buffers()
        if state is not None and mended:
            self._log.act("buffers", "not finite after a bad batch", buffers=mended, to=state.tick)

    def end(self) -> None:
        """Drops all that it holds, files included."""
        self._optimizers.clear()
        self._schedulers.clear()
        self._shelf.close()

    def _subject(self) -> Subject:
        held = {id(t) for o in self._optimizers.values() for group in o.param_groups for t in group["params"]}
        mine = (model for model in self._models() if any(id(parameter) in held for parameter in model.parameters()))
        return Subject(tuple(mine), tuple(self._optimizers.values()))
