"""The guard at work: reads each step, decides with the other ranks, and acts."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import nn
from torch.amp.grad_scaler import GradScaler
from torch.optim import LBFGS, Optimizer

from gradclinic.schema.step_seen import StepSeen

from .decision import Patient, Reading
from .log import Log, Put
from .ranks import mean_over_ranks, world
from .rates import LoweredRates
from .retreat import Retreat
from .settings import Guard
from .withholding import Withheld, withhold

#: A square beyond this is a spike whatever it is, and a sum of a few still fits float64.
_LARGEST = 1e300


class Keeper:
    """Guards one training.  Called before and after every optimizer's step, on the training thread.

    As long as nothing is wrong it only reads and copies.  A failure in here switches the guard off, on all ranks at
    once: a rank that does not answer would make the others wait for ever.
    """

    def __init__(self, settings: Guard) -> None:
        self._settings = settings
        self._retreat: Retreat | None = None
        self._log: Log | None = None
        self._withheld: Withheld | None = None
        self._lowered: LoweredRates | None = None
        self._gone = False  # what is left of this iteration was computed with weights that are gone
        self._failure: str | None = None
        self._off = False

    def begin(
        self, put: Put, models: Callable[[], Sequence[nn.Module]], scaler: Callable[[], GradScaler | None]
    ) -> None:
        """Before the first step: where events go, and where models and the gradient scaler are found."""
        self._log = Log(put)
        self._retreat = Retreat(self._settings, models, scaler, self._log)
        put("guard_on", {"times": self._settings.times})

    def end(self) -> None:
        """After the last step: nothing is left behind."""
        self.step_over()
        if self._retreat is not None:
            self._retreat.end()

    def step_begins(self, optimizer: Optimizer, look: Callable[[], StepSeen]) -> None:
        """Judges a step whose gradients are there, before it is taken; ``look`` reads it."""
        self.step_over()
        # LBFGS takes several gradients in a step and chooses among them: its line search is left alone.
        retreat, log = self._retreat, self._log
        if self._off or retreat is None or log is None or isinstance(optimizer, LBFGS):
            return
        together = self._together(retreat, optimizer, look)
        if together is None:
            return
        try:
            self._treat(retreat, log, optimizer, *together)
        except Exception as error:
            self._failure = _said(error)

    def step_skipped(self, optimizer: Optimizer, look: Callable[[], StepSeen]) -> None:
        """A gradient scaler held the step back.  That is its own doing, but weights that are gone stay gone."""
        retreat = self._retreat
        if self._off or retreat is None or isinstance(optimizer, LBFGS):
            return
        together = self._together(retreat, optimizer, look)
        if together is None:
            return
        seen, patient, reading, _ = together
        try:
            if reading.weights_broken and reading.way_back:
                retreat.go_back(patient, seen.tick, "a weight is not finite")
                self._gone = True
            retreat.mend_buffers()
        except Exception as error:
            self._failure = _said(error)

    def step_over(self) -> None:
        """The step has been taken; gradients and rates are the script's own again."""
        withheld, self._withheld = self._withheld, None
        lowered, self._lowered = self._lowered, None
        for changed in (withheld, lowered):
            if changed is not None:
                changed.give_back()

    # -- inner -------------------------------------------------------------------------------------------

    def _together(
        self, retreat: Retreat, optimizer: Optimizer, look: Callable[[], StepSeen]
    ) -> tuple[StepSeen, Patient, Reading, bool] | None:
        """The step as all ranks see it, and whether to keep the state; None where the guard of a rank has failed."""
        failure, self._failure = self._failure, None
        unread: str | None = None
        seen, patient, weights_broken, due, reach = StepSeen(0, 0, None, 0.0, False, True), Patient(), False, False, -1
        try:
            seen = look()
        except Exception as error:
            unread = _said(error)
        try:
            if unread is None:
                patient = retreat.meet(optimizer, seen.index)
            weights_broken = seen.broken and retreat.weights_broken()
            due, reach = retreat.due(), retreat.reach(seen.tick)
        except Exception as error:
            failure = failure or _said(error)
        loss = seen.loss if seen.fresh and seen.loss is not None and math.isfinite(seen.loss) else None
        square = min(seen.norm**2, _LARGEST / world()) if seen.norm < math.sqrt(_LARGEST) else _LARGEST / world()
        mine = (
            failure is not None, unread is not None, seen.broken, weights_broken, due, square, loss or 0.0,
            loss is not None, reach, reach * reach,
        )  # fmt: skip
        failed, missed, broken, weights, wanted, squares, losses, known, reaches, reaches2 = mean_over_ranks(mine)
        if failed:
            self._off = True
            if self._log is not None:
                self._log.once("off", failure or "the guard of another rank failed")
            return None
        if missed:  # what cannot be judged is left alone, by all
            if self._log is not None:
                self._log.once("not read", unread or "another rank could not read a step")
            return None
        reading = Reading(
            loss=losses / known if known else None, norm=math.sqrt(squares), broken=broken > 0,
            weights_broken=weights > 0, fresh=seen.fresh,
            # Only where every rank can go back to the same step may any.
            way_back=reaches >= 0 and reaches2 == reaches * reaches,
        )  # fmt: skip
        return seen, patient, reading, wanted > 0

    def _treat(
        self, retreat: Retreat, log: Log, optimizer: Optimizer, seen: StepSeen, patient: Patient, reading: Reading,
        due: bool,
    ) -> None:  # fmt: skip
        if self._gone and not reading.fresh:
            self._withheld = withhold(optimizer)
            return
        self._gone = False
        retreat.look_back(patient, reading.loss)
        # With several losses, such as a GAN's, one rises as the other falls.
        alone = sum(bool(other.losses.first) for other in retreat.patients.values()) <= 1
        worse = reading.loss is not None and reading.loss > retreat.level_there(seen.index, seen.tick)
        decision = patient.judge(reading, by_loss=alone and worse)
        if decision.stuck:
            log.once("given up", decision.stuck)
        if decision.act in ("skip", "roll back"):
            self._withheld = withhold(optimizer)
            if decision.act == "roll back":
                retreat.go_back(patient, seen.tick, decision.why)
                self._gone = True
            else:
                # A fused optimizer under a scaler finds the same inf and holds the step back by itself: not our act.
                if not (seen.broken and getattr(optimizer, "found_inf", None) is not None):
                    log.act("skip", decision.why)
                retreat.mend_buffers()
            return
        if decision.spike is not None:
            spike = decision.spike
            _scale(optimizer, spike.limit / spike.norm)
            log.act("clip", decision.why, norm=spike.norm, usual=spike.usual, z=spike.z, limit=spike.limit)
        elif due:
            retreat.keep(seen.tick)
        if retreat.factor != 1.0:
            self._lowered = LoweredRates(optimizer, retreat.factor)


def _scale(optimizer: Optimizer, factor: float) -> None:
    """Multiplies all gradients of an optimizer, in place, as torch's own clipping does."""
    with torch.no_grad():
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    parameter.grad.mul_(factor)


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
