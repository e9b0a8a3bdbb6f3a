"""A record as numpy arrays, each computed once, when the first condition asks for it.

Letters: S recorded steps, P parameters, U recorded updates.  Indices into P are ``ParameterInfo.index``.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradclinic.schema.ledger import Activity, Objective
from gradclinic.schema.record import Event, LedgerRow, OptimizerInfo, ParameterInfo, Record, Step
from gradclinic.schema.vitals import absent, norms

from .forecast import Forecast, forecast
from .interventions import Interventions
from .learning import Learning, foreseen, judge, judge_all, judge_raised
from .reference import is_error
from .series import LARGEST
from .spine import Spine, spine_of

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: Formats whose relative step (2**-8, 2**-11) is coarse enough to swallow an ordinary update of 1e-3 of a weight.
LOW_PRECISION = ("bfloat16", "float16", "float8")


class Evidence:
    """Lazy views over one :class:`Record`.  Immutable in effect: no view changes after it was computed."""

    def __init__(self, record: Record) -> None:
        self.record = record

    # -- what was trained ------------------------------------------------------------------------

    @cached_property
    def parameters(self) -> tuple[ParameterInfo, ...]:
        """Ordered by index; P is the largest index + 1 of what was recorded."""
        return tuple(sorted(self.record.parameters, key=lambda parameter: parameter.index))

    @cached_property
    def names(self) -> dict[int, str]:
        return {parameter.index: parameter.name for parameter in self.parameters}

    @cached_property
    def matrices(self) -> NDArray[np.int64]:
        """Indices of the trained weights proper (two or more dimensions); of all trained ones where there is none.

        Biases and gains start at 0 or 1 and say nothing of relative size.
        """
        trained = [p for p in self.parameters if p.requires_grad and p.optimizer is not None]
        weights = [p.index for p in trained if len(p.shape) >= 2] or [p.index for p in trained]
        return np.array(weights, dtype=np.int64)

    def module_of(self, index: int) -> str:
        """The module that owns a parameter, or the parameter's own name where no module does."""
        parameter = next(p for p in self.parameters if p.index == index)
        return parameter.module or parameter.name

    @cached_property
    def first_weights(self) -> NDArray[np.int64]:
        """Indices of the first third of the weights, in the order in which the first ledger saw them run."""
        rows = {name: p.index for p in self.parameters for name in (p.name, *p.aliases)}
        seen: dict[int, None] = {}
        for ledger in self.ledgers[:1]:
            for entry in sorted(ledger.ledger.entries, key=lambda entry: entry.sequence):
                seen.update(dict.fromkeys(rows[name] for name in entry.parameters if name in rows))
        wanted = set(self.matrices.tolist())
        ordered = [index for index in seen if index in wanted] or self.matrices.tolist()
        return np.array(ordered[: max(1, len(ordered) // 3)], dtype=np.int64)

    @cached_property
    def low_precision(self) -> Mask:
        """(P,) parameters held in a coarse format."""
        flags = np.zeros(self.width, bool)
        for parameter in self.parameters:
            flags[parameter.index] = any(name in parameter.dtype for name in LOW_PRECISION)
        return flags

    @cached_property
    def in_float16(self) -> bool:
        """Whether weights are held in float16, or parts of the forward pass run in it."""
        held = any(parameter.dtype == "float16" for parameter in self.parameters)
        return held or any("float16" in event.data["dtypes"] for event in self.events("autocast"))

    @cached_property
    def optimizers(self) -> dict[int, OptimizerInfo]:
        return {optimizer.index: optimizer for optimizer in self.record.optimizers}

    def setting(self, parameter: ParameterInfo, name: str, default: Any = None) -> Any:
        """A setting of the parameter group that a parameter belongs to, e.g. ``eps``."""
        optimizer = None if parameter.optimizer is None else self.optimizers.get(parameter.optimizer)
        if optimizer is None or not optimizer.groups:
            return default
        group = parameter.group if parameter.group is not None and parameter.group < len(optimizer.groups) else 0
        value = optimizer.groups[group].get(name, default)
        return default if value is None else value

    def settings(self, name: str) -> list[Any]:
        """A setting of all groups of all optimizers that have it."""
        groups = [group for optimizer in self.record.optimizers for group in optimizer.groups]
        return [group[name] for group in groups if group.get(name) is not None]

    @cached_property
    def scale_free(self) -> bool:
        """Whether every optimizer divides the gradient by its own size, so that its scale does not matter."""
        plain = ("sgd", "asgd", "lbfgs", "by hand")
        return bool(self.record.optimizers) and not any(o.name.lower() in plain for o in self.record.optimizers)

    # -- steps -----------------------------------------------------------------------------------

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """All recorded steps by tick, the ones that a scaler held back included."""
        return self.record.steps

    @cached_property
    def taken(self) -> tuple[Step, ...]:
        """The steps that changed weights."""
        return tuple(step for step in self.steps if not step.skipped)

    @cached_property
    def step_count(self) -> int:
        """How many steps the busiest optimizer took, thinned-out ones included."""
        return max((step.step + 1 for step in self.steps), default=0)

    @cached_property
    def horizon(self) -> int:
        """The steps that are judged: those taken, or of a check-up those planned."""
        return self.step_count if self.forecast is None else max(self.step_count, self.forecast.steps)

    @cached_property
    def _step_of(self) -> dict[int, int]:
        return {step.tick: step.step for step in self.steps}

    def step_of(self, tick: int) -> int:
        """The optimizer's own count for a tick; the nearest earlier recorded one where the row was thinned out."""
        if tick in self._step_of:
            return self._step_of[tick]
        earlier = [step.step for step in self.steps if step.tick < tick]
        return earlier[-1] if earlier else tick

    @cached_property
    def ticks(self) -> NDArray[np.int64]:
        return np.array([step.tick for step in self.taken], dtype=np.int64)

    @cached_property
    def losses(self) -> Array:
        """(S,) nan where no loss was seen, inf where it was infinite."""
        values = np.array([np.nan if step.loss is None else step.loss for step in self.taken], dtype=np.float64)
        return np.where(np.isinf(values), values, np.clip(values, -LARGEST, LARGEST))

    @cached_property
    def width(self) -> int:
        known = [parameter.index + 1 for parameter in self.parameters]
        rows = [len(step.gradients) for step in self.taken if step.gradients is not None]
        return max(known + rows, default=0)

    @cached_property
    def _gradients(self) -> NDArray[np.void]:
        table = [absent(self.width) for _ in self.taken]
        for row, step in zip(table, self.taken, strict=True):
            if step.gradients is not None:
                row[: len(step.gradients)] = step.gradients
        return np.stack(table) if table else np.zeros((0, self.width), absent(1).dtype)

    @property
    def gradient_statistics(self) -> NDArray[np.void]:
        """(S, P) the statistics themselves, as ``schema.vitals`` lays them out."""
        return self._gradients

    @cached_property
    def watched(self) -> Mask:
        """(S, P) whether the step's optimizer holds the parameter, so that its gradient counts."""
        nobody = np.iinfo(np.int64).min
        owners = np.full(self.width, nobody)
        for parameter in self.parameters:
            owners[parameter.index] = nobody if parameter.optimizer is None else parameter.optimizer
        mine = np.array([step.optimizer for step in self.taken], dtype=np.int64)
        seen = np.array([step.gradients is not None for step in self.taken], dtype=bool)
        mask: Mask = (owners[None, :] == mine[:, None]) & seen[:, None]
        return mask

    @cached_property
    def gradient_norms(self) -> Array:
        """(S, P) Euclidean norms of the finite elements; nan where there was no gradient."""
        table = self._gradients
        return norms(table.ravel()).reshape(table.shape) if table.size else np.zeros(table.shape)

    @cached_property
    def gradient_totals(self) -> Array:
        """(S,) norm over all parameters; nan where no gradient was seen."""
        masked = np.where(self.watched, self.gradient_norms, np.nan)
        largest = np.nanmax(np.where(np.isnan(masked), 0.0, masked), axis=1, initial=0.0)
        safe = np.where(largest > 0, largest, 1.0)
        totals: Array = largest * np.sqrt(np.nansum((masked / safe[:, None]) ** 2, axis=1))
        return np.where(np.all(np.isnan(masked), axis=1), np.nan, totals)

    @cached_property
    def missing(self) -> Mask:
        """(S, P) the gradient was None where the optimizer wanted one."""
        return self.watched & (self._gradients["count"] < 0)

    @cached_property
    def zero(self) -> Mask:
        """(S, P) the gradient was there and exactly 0."""
        table = self._gradients
        mask: Mask = self.watched & (table["count"] > 0) & (table["zeros"] == table["count"])
        return mask

    @cached_property
    def non_finite(self) -> Mask:
        """(S, P) the gradient had an inf or a nan."""
        return self.watched & (self._gradients["non_finite"] > 0)

    @cached_property
    def gradient_rms(self) -> Array:
        """(S, P) root mean square; nan where there was no gradient."""
        count = self._gradients["count"]
        values: Array = self.gradient_norms / np.sqrt(np.maximum(count, 1))
        return values

    @cached_property
    def direction_kept(self) -> float | None:
        """Share of gradients, over parameters and the first ten steps, whose sum kept its sign from step to step.

        Chance gives 1/2; beyond the stability limit the gradient turns round at each step, which gives 0.
        """
        sums = np.where(self.watched, self._gradients["total"], np.nan)[:10]
        signs = np.sign(sums[1:]) * np.sign(sums[:-1])
        known = signs[np.isfinite(signs) & (signs != 0)]
        return float(np.mean(known > 0)) if len(known) else None

    # -- weights and updates ---------------------------------------------------------------------

    @cached_property
    def update_ticks(self) -> NDArray[np.int64]:
        return np.array([row.tick for row in self.record.updates], dtype=np.int64)

    def _update_field(self, name: str) -> Array:
        table = np.full((len(self.record.updates), self.width), np.nan)
        for index, row in enumerate(self.record.updates):
            values = getattr(row, name)[: self.width]
            table[index, : len(values)] = values
        return table

    @cached_property
    def weight_norms(self) -> Array:
        return self._update_field("weight_norm")

    @cached_property
    def unchanged(self) -> Array:
        return self._update_field("unchanged")

    @cached_property
    def relative_updates(self) -> Array:
        """(U, P) ‖Δw‖/‖w‖; nan where the weight is 0 or was not seen."""
        weight = self.weight_norms
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(weight > 0, self._update_field("update_norm") / weight, np.nan)

    @cached_property
    def jump(self) -> float | None:
        """The largest ‖Δw‖/‖w‖ of the first ten steps, median over the weights: how violently training began.

        Steps of the first ten because Adam's momentum (1/(1-β₁) = 10 steps) has then its full size.  None where no
        weight of two dimensions is trained: a bias that starts at 0 changes by any factor at once.
        """
        if not any(len(p.shape) >= 2 for p in self.parameters if p.requires_grad and p.optimizer is not None):
            return None
        early = [index for index, tick in enumerate(self.update_ticks) if self.step_of(int(tick)) < 10]
        rows = self.relative_updates[early][:, self.matrices]
        medians = [float(np.nanmedian(row)) for row in rows if np.isfinite(row).any()]
        return max(medians, default=None)

    @cached_property
    def travel(self) -> Array:
        """(P,) the furthest each weight can have moved in the run, relative to its size: Σ ‖Δw‖/‖w‖ over all steps.

        The mean over the recorded updates times the number of steps (:attr:`horizon`); nan where no update was seen.
        """
        seen = self.relative_updates
        count = np.sum(np.isfinite(seen), axis=0)
        total = np.nansum(seen, axis=0)
        return np.where(count > 0, total / np.maximum(count, 1) * self.horizon, np.nan)

    # -- ledgers and events ----------------------------------------------------------------------

    @cached_property
    def ledgers(self) -> tuple[LedgerRow, ...]:
        return self.record.ledgers

    @cached_property
    def spines(self) -> tuple[Spine, ...]:
        """One per ledger that has a spine, by tick."""
        found = (spine_of(row) for row in self.ledgers)
        return tuple(spine for spine in found if spine is not None)

    @cached_property
    def objectives(self) -> tuple[tuple[int, Objective], ...]:
        """(tick, objective) of each ledger that saw one."""
        return tuple((row.tick, row.ledger.objective) for row in self.ledgers if row.ledger.objective is not None)

    @cached_property
    def activities(self) -> dict[tuple[str, str, int], tuple[tuple[int, Activity], ...]]:
        """(module, op, occurrence in the step) → (tick, activity) over the ledgers."""
        table: dict[tuple[str, str, int], list[tuple[int, Activity]]] = {}
        for row in self.ledgers:
            seen: dict[tuple[str, str], int] = {}
            for activity in sorted(row.ledger.activities, key=lambda item: item.sequence):
                place = (activity.module, activity.op)
                occurrence = seen[place] = seen.get(place, -1) + 1
                table.setdefault((*place, occurrence), []).append((row.tick, activity))
        return {key: tuple(value) for key, value in table.items()}

    def ends_model(self, activity: Activity) -> bool:
        """Whether no weight comes after this activation of the first ledger: it is the model's output."""
        entries = self.ledgers[0].ledger.entries if self.ledgers else ()
        return bool(entries) and not any(e.kind == "weight" and e.sequence > activity.sequence for e in entries)

    def events(self, *kinds: str) -> tuple[Event, ...]:
        return tuple(event for event in self.record.events if event.kind in kinds)

    @cached_property
    def interventions(self) -> Interventions:
        """What was tested on copies of a step."""
        rates = [max(step.lr) for step in self.taken if step.lr]
        # A schedule has spent the learning rate since, or has only begun to warm up: a test of the first step's rate
        # says nothing of the others.
        changed = bool(rates) and (rates[-1] < 0.1 * rates[0] or max(rates) > 2 * rates[0])
        stale = {"learning_rate_low"} if changed else set()
        return Interventions(self.events("intervention"), frozenset(stale))

    # -- the judgement everything depends on -----------------------------------------------------

    @cached_property
    def learning_by_optimizer(self) -> dict[int, Learning]:
        """Learning judged on the losses of each optimizer alone."""
        owners = sorted({step.optimizer for step in self.taken})
        by_tick = {step.tick: step.optimizer for step in self.steps}
        judged: dict[int, Learning] = {}
        for owner in owners:
            objectives = [(t, o) for t, o in self.objectives if by_tick.get(t, owner) == owner]
            steps = [step for step in self.taken if step.optimizer == owner]
            judged[owner] = judge_raised(steps) if self._raises(owner, objectives) else judge(steps, objectives)
        return judged

    def _raises(self, owner: int, objectives: Sequence[tuple[int, Objective]]) -> bool:
        """Whether an optimizer maximises what is there to be raised: a bound or a likelihood, and no error."""
        groups = self.optimizers[owner].groups if owner in self.optimizers else ()
        told = bool(groups) and all(group.get("maximize") is True for group in groups)
        return told and not any(is_error(objective) for _, objective in objectives[:1])

    @cached_property
    def learning(self) -> Learning:
        """Is it learning at all?  Of a check-up: will it?"""
        judged = judge_all(self.learning_by_optimizer, phases=self._phases)
        return judged if self.forecast is None else foreseen(judged, self.forecast)

    @cached_property
    def forecast(self) -> Forecast | None:
        """What a check-up foresees; None for a run."""
        return forecast(self.record)

    @cached_property
    def _phases(self) -> bool:
        """Whether the optimizers stepped one after the other (pretraining and fine-tuning, folds), not in turn."""
        order = [step.optimizer for step in self.taken]
        return sum(left != right for left, right in itertools.pairwise(order)) + 1 == len(set(order)) > 1
