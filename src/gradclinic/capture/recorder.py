"""Turns what the watches see into rows, step by step.  The state machine of a watched training."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from torch import Tensor
from torch.optim import Optimizer

from gradclinic.measure import vitals
from gradclinic.measure.gradcheck import FunctionWatch
from gradclinic.schema.record import Event, Exponents, LedgerRow, OptimizerInfo, ParameterInfo, Sink, Step
from gradclinic.schema.step_seen import StepSeen
from gradclinic.schema.vitals import Vitals, norms, rms

from . import sampling
from .by_hand import ByHand
from .clearing import Clearing
from .discarded import Discarded
from .experiment import Experiment
from .look import Look
from .measured import Measured, number
from .origins import Origins
from .outbox import Outbox
from .pulse import Pulse
from .roster import BY_HAND_INDEX, Roster
from .scaling import ScalerWatch
from .schedule import Schedule
from .states import LOOKED_AT, coarse_state
from .uphill import Uphill

#: The histogram of exponents triples the cost of the vitals, so it is taken once in so many steps.
EXPONENTS_EVERY = 16
#: Steps in which a gradient that is cleared before the step is looked for: a slip in the loop shows at once.
CLEARING_SEEN = 5
#: How often the cost so far is written down, in steps.
COST_EVERY = 20


class Recorder:
    """Listens to backward passes, steps, clipping and scaling; keeps the state between them.

    ``spent()`` gives the seconds gradclinic has taken so far.
    """

    def __init__(self, sink: Sink, spent: Callable[[], float], *, tests: bool = True) -> None:
        self.roster = Roster()
        self.look = Look(self.roster)
        self.functions = FunctionWatch()
        self.scaler = ScalerWatch(self)
        self._out = Outbox(sink)
        self._spent = spent
        self._schedule = Schedule()
        self._pulse = Pulse()
        self._by_hand = ByHand()
        self._clearing = Clearing()
        self._discarded = Discarded(self.put)
        self._uphill = Uphill()
        self._started = time.perf_counter()
        self._tick = 0
        self._steps: dict[int, int] = {}  # optimizer index -> steps so far
        self._losses: list[Tensor | float] = []  # of the backward passes since the last step
        self._last_losses: list[Tensor | float] = []
        self._clip: tuple[Tensor | float | None, float] | None = None
        self._before: list[Tensor | None] | None = None
        self._arrived: set[int] = set()  # rows that had a gradient after the last backward pass
        self._backward_began = 0.0
        self._plain_backward: float | None = None  # typical backward pass that was not looked at
        self.hooks_seconds = 0.0  #: spent in the hooks of closely looked-at backward passes
        self._looked = False  # the step under way has been looked at closely
        self._look_seconds = 0.0
        self._origins = Origins(self.put, self.roster, self.look)
        self._experiment = Experiment(self.put, self.roster, self.look.scopes, tests=tests)
        self._measured: Measured | None = None
        self._has_optimizer = False  # until one steps, weights that move are moved by hand
        self._hand: Measured | None = None  # gradients of a backward pass that no optimizer has used yet
        self._wanted: weakref.WeakSet[Optimizer] = weakref.WeakSet()
        self._alarm = False
        self._noted: set[str] = set()

    def only(self, optimizers: Iterable[Optimizer]) -> None:
        """Limits the watch to these optimizers; none means all."""
        self._wanted = weakref.WeakSet(optimizers)

    def begin(self) -> None:
        """The initialisation is always looked at closely: hooks must be there before the first forward pass."""
        if self._tick == 0:
            self.look.arm()
            self._experiment.arm()

    # -- backward passes ---------------------------------------------------------------------------------

    def backward_begins(self, roots: Sequence[Tensor]) -> None:
        self.scaler.backward_begins(roots)
        self._clearing.backward_begins()
        self._discarded.backward_begins()
        scaled = any(self.scaler.unscaled(root) is not root for root in roots)
        self._experiment.backward_begins(roots, (self.scaler.scale() or 1.0) if scaled else 1.0)
        if not self._has_optimizer:
            self._step_by_hand()
            self._by_hand.follow(roots)
        losses = [number(self.scaler.unscaled(root)) for root in roots if root.numel() == 1]
        self._losses += losses
        broken = any(isinstance(loss, float) and not np.isfinite(loss) for loss in losses)
        self._origins.backward_begins(roots, broken)
        if self.look.armed:
            began = time.perf_counter()
            self.look.open(roots)
            self._look_seconds += time.perf_counter() - began
        self._backward_began = time.perf_counter()

    def backward_ends(self, roots: Sequence[Tensor], finished: bool) -> None:
        began = time.perf_counter()
        duration = began - self._backward_began
        ledger = self.look.close(finished)
        if ledger is None:
            known = self._plain_backward
            self._plain_backward = duration if known is None else known + 0.2 * (duration - known)
        else:
            # The hooks inside the backward pass are paid for as well: what it took beyond a plain one, or a
            # fifth of it (the share measured on three architectures) while no plain one has been seen.
            plain = 0.8 * duration if self._plain_backward is None else min(duration, self._plain_backward)
            self._look_seconds += duration - plain
            self.hooks_seconds += duration - plain
            self._looked = True
            self._out.put(LedgerRow(self._tick, ledger))
            self._origins.ledger_closed(ledger, self.look.origin)
            for data in self.functions.check():
                self._out.put(Event(self._tick, "wrong_backward", data))
            self.functions.detach()
            for what in ledger.unseen:
                if "checkpoint" in what:
                    self._note_once("checkpoint", {"what": what})
            self._look_seconds += time.perf_counter() - began
        if finished and self._tick < CLEARING_SEEN:
            tensors = enumerate(self.roster.tensors())
            self._arrived = {row for row, tensor in tensors if tensor is not None and tensor.grad is not None}
        if finished:
            self._discarded.backward_ended(self.roster.tensors(), self._origins.later())
        if finished and not self._has_optimizer:
            gradients = [leaf.grad for leaf in self._by_hand.leaves()]
            self._by_hand.gradients(gradients)
            self._hand = self._launch(gradients)

    def gradients_taken(
        self, roots: Sequence[Tensor], inputs: Sequence[Tensor], gradients: Sequence[Tensor | None]
    ) -> None:
        """``torch.autograd.grad`` of leaves is a hand-written loop's backward pass."""
        if self._has_optimizer or not all(tensor.is_leaf for tensor in inputs):
            return
        self._step_by_hand()
        self._by_hand.follow_leaves(inputs)
        self._losses += [number(root) for root in roots if root.numel() == 1]
        self._by_hand.gradients(gradients)
        self._hand = self._launch(gradients)

    # -- steps -------------------------------------------------------------------------------------------

    def step_begins(self, optimizer: Optimizer, has_closure: bool) -> None:
        if not self.wants(optimizer):
            return
        self._enlist(optimizer)
        loss = self._losses[0] if len(self._losses) == 1 else None
        self._experiment.step_begins(optimizer, has_closure, _plain(loss), self._tick)
        if self._looked or has_closure:
            self._before = sampling.sample(self._tensors_of(optimizer))
        if not has_closure:  # with a closure, the gradients do not exist yet
            self._measure(optimizer)

    def wants(self, optimizer: Optimizer) -> bool:
        """Whether this optimizer's steps are watched."""
        return not self._wanted or optimizer in self._wanted

    def measure(self, optimizer: Optimizer) -> None:
        """Measures a step whose gradients came later than its beginning."""
        self._enlist(optimizer)
        self._measure(optimizer)

    def seen(self, optimizer: Optimizer) -> StepSeen:
        """The step under way, measured and not yet taken.  Waits for the device.

        Raises:
            RuntimeError: it could not be measured.
        """
        index, measured = self.roster.optimizer_index(optimizer), self._measured
        if index is None or measured is None:
            raise RuntimeError("the step could not be measured")
        mine = [row for row, owner in enumerate(self.roster.owners) if owner == index]
        gradients, losses = measured.gradients()[mine], measured.losses()
        with np.errstate(over="ignore"):
            norm = float(np.sqrt(np.nansum(norms(gradients) ** 2)))
        return StepSeen(
            index, self._tick, float(np.mean(losses)) if losses else None, norm,
            broken=bool(gradients["non_finite"].sum()), fresh=bool(self._losses),
        )  # fmt: skip

    def step_ends(self, optimizer: Optimizer, has_closure: bool) -> None:
        if not self.wants(optimizer):
            return
        self._hand = None
        wrong = self.scaler.optimizer_stepped(optimizer)
        if wrong is not None:
            self._note_once(wrong, {"optimizer": type(optimizer).__name__, "scale": self.scaler.scale()})
        if has_closure:
            self._measure(optimizer)
        self._emit(optimizer, skipped=False, first_loss=has_closure)

    def step_skipped(self, optimizer: Optimizer, scale: float | None) -> None:
        if not self.wants(optimizer):
            return
        self._enlist(optimizer)
        self._measure(optimizer)
        self._out.put(Event(self._tick, "scaler_skip", {"scale": scale}))
        self._emit(optimizer, skipped=True)

    def gradients_clipped(self, norm: Tensor | None, limit: float) -> None:
        self._clip = (None if norm is None else number(norm), limit)
        if self.scaler.still_scaled():
            self._note_once("clip_before_unscale", {"scale": self.scaler.scale(), "limit": limit})

    def note_compiled(self, what: str) -> None:
        self.look.disarm_scopes()
        self._experiment.compiled()
        self._note_once("compiled", {"what": what})

    def finish(self) -> None:
        """Hands over whatever is pending."""
        if not self._has_optimizer:
            self._step_by_hand()
        self._out.deliver(everything=True)
        self._experiment.finish(self._tick)
        self._out.put(Event(self._tick, "cost", {"seconds": self._spent() + self.hooks_seconds}))

    def put(self, event: str, data: dict[str, Any]) -> None:
        self._out.put(Event(self._tick, event, data))

    # -- inner -------------------------------------------------------------------------------------------

    def _enlist(self, optimizer: Optimizer) -> None:
        self._has_optimizer = True
        if self.roster.optimizer_index(optimizer) is None:
            self._introduce(self.roster.enlist(optimizer, _weights_rms))

    def _introduce(self, rows: Iterable[OptimizerInfo | ParameterInfo]) -> None:
        for row in rows:
            self._out.put(row)

    def _tensors_of(self, optimizer: Optimizer) -> list[Tensor | None]:
        """The optimizer's parameters, and those of the same models that nobody steps, by row."""
        index = self.roster.optimizer_index(optimizer)
        owners = self.roster.owners
        return [
            tensor if owner is None or owner == index else None
            for tensor, owner in zip(self.roster.tensors(), owners, strict=True)
        ]

    def _measure(self, optimizer: Optimizer) -> None:
        gradients = [None if tensor is None else tensor.grad for tensor in self._tensors_of(optimizer)]
        if not self._losses and not self._last_losses and all(gradient is None for gradient in gradients):
            self._note_once("no_backward", {"optimizer": type(optimizer).__name__})
        if all(gradient is None for gradient in gradients):
            mine = {row for row, tensor in enumerate(self._tensors_of(optimizer)) if tensor is not None}
            if self._arrived & mine:
                self._note_once("gradient_cleared_before_step", {"optimizer": type(optimizer).__name__})
        self._measured = self._launch(gradients, getattr(optimizer, "grad_scale", None))

    def _launch(self, gradients: Sequence[Tensor | None], scale: Tensor | None = None) -> Measured:
        losses = self._losses or self._last_losses
        norm = self._clip[0] if self._clip else None
        return Measured.launch(gradients, losses, norm, scale, exponents=self._tick % EXPONENTS_EVERY == 0)

    def _emit(self, optimizer: Optimizer, skipped: bool, first_loss: bool = False) -> None:
        index = self.roster.optimizer_index(optimizer)
        if index is None or self._measured is None:
            return
        kept = None if skipped else self._clearing.stepped(optimizer, index, self._tensors_of(optimizer))
        if kept is not None:
            self._note_once("gradient_not_cleared", {"parameter": self.roster.name_of(kept)})
        if not skipped and self._steps.get(index, 0) == LOOKED_AT:
            coarse = coarse_state(optimizer, self._tensors_of(optimizer))
            if coarse is not None:
                self.put("coarse_state", {"optimizer": index} | coarse)
        rates = tuple(float(group["lr"]) for group in optimizer.param_groups if _on_host(group.get("lr")))
        self._emit_step(index, self._measured, rates, skipped, first_loss)
        self._measured = None
        if self._before is not None:
            tensors = self._tensors_of(optimizer)
            gradients = [None if tensor is None else tensor.grad for tensor in tensors]
            row, uphill = sampling.compare(self._tick, self._before, tensors, gradients, self._uphill)
            self._out.put(row)
            if uphill is not None and not first_loss:
                self._note_once("uphill_step", {"cosine": uphill})
        self._next_tick()

    def _step_by_hand(self) -> None:
        """A backward pass whose leaves have moved since was a step."""
        if self._hand is None or not self._by_hand.moved():
            return
        measured, self._hand = self._hand, None
        if self._by_hand.uphill is not None:
            self._note_once("uphill_step", {"cosine": self._by_hand.uphill})
        leaves = self._by_hand.leaves()
        if any(self.roster.row_of(leaf) is None for leaf in leaves):
            self._introduce(self.roster.enlist_leaves(leaves, _weights_rms))
        rows = [self.roster.row_of(leaf) for leaf in leaves]
        self._emit_step(BY_HAND_INDEX, measured.scattered(rows, len(self.roster)), (), skipped=False)
        self._next_tick()

    def _emit_step(
        self, index: int, measured: Measured, rates: tuple[float, ...], skipped: bool, first_loss: bool = False
    ) -> None:
        tick, step, backwards = self._tick, self._steps.get(index, 0), len(self._losses)
        moment, scale = time.perf_counter() - self._started, self.scaler.scale()
        limit = self._clip[1] if self._clip else None
        self._steps[index] = step + 1
        check_origin = self._origins.later()

        def build() -> Step:
            gradients = measured.gradients()
            losses = measured.losses()
            loss = None if not losses else losses[0] if first_loss else float(np.mean(losses))
            self._experiment.note_loss(loss)
            row = Step(
                tick, index, step, moment, loss, backwards, rates, skipped, scale, measured.norm(), limit, gradients
            )
            self._alarm |= self._pulse.sudden(loss=loss, gradient=_total_norm(gradients))
            if loss is None or np.isfinite(loss):
                check_origin(gradients["non_finite"])
            counts = measured.exponents()
            if counts is not None:
                self._out.put(Exponents(tick, counts))
            return row

        self._out.later(measured, build)

    def _next_tick(self) -> None:
        """Ends the step under way, and decides whether the next one is looked at closely."""
        self._discarded.stepped()
        elapsed = time.perf_counter() - self._started
        if self._looked:
            self._schedule.looked(self._tick, self._look_seconds)
        self._tick += 1
        self._last_losses, self._losses = self._losses or self._last_losses, []
        self._clip = self._before = None
        self._experiment.step_ended(self._tick)
        self._origins.next_step()
        self._looked, self._look_seconds = False, 0.0
        if self._tick % COST_EVERY == 0:
            self._out.put(Event(self._tick, "cost", {"seconds": self._spent() + self.hooks_seconds}))
        alarm, self._alarm = self._alarm, False
        if self._schedule.due(self._tick, elapsed, alarm):
            self.look.arm()

    def _note_once(self, kind: str, data: dict[str, Any]) -> None:
        if kind not in self._noted:
            self._noted.add(kind)
            self.put(kind, data)


def _plain(loss: Tensor | float | None) -> float | None:
    """A loss that costs no synchronisation to read."""
    return loss if isinstance(loss, float) else float(loss) if loss is not None and _on_host(loss) else None


def _on_host(value: Any) -> bool:
    return isinstance(value, (int, float)) or (isinstance(value, Tensor) and value.device.type == "cpu")


def _weights_rms(tensors: Sequence[Tensor]) -> list[float]:
    table, _ = vitals.measure(tensors)
    return [float(value) for value in rms(table)]


def _total_norm(gradients: Vitals) -> float | None:
    """Norm over all gradients; nan where an element is not finite, so that it counts as sudden."""
    if gradients["non_finite"].sum():
        return float("nan")
    each = norms(gradients)
    return float(np.sqrt(np.nansum(each**2))) if np.isfinite(each).any() else None
