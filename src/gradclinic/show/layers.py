"""One row per layer: the modules that own parameters, from the first to the last, with what a run says of each.

Arranges numbers only: norms of a module's parameters are joined, the ledger's lines are summed per layer.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gradclinic.schema.ledger import Activity, Ledger
from gradclinic.schema.record import ParameterInfo, Record
from gradclinic.schema.vitals import Vitals, norms

State = Literal["seen", "zero", "non_finite", "absent", "not_stepped"]

#: What a cell of the heat map holds; the order is the number that stands for it in an array.
STATES: tuple[State, ...] = ("seen", "zero", "non_finite", "absent", "not_stepped")


@dataclass(frozen=True, slots=True)
class Layer:
    """One module with parameters of its own."""

    name: str  #: module path; the parameter's name where the root module owns it
    type: str  #: class name
    rows: tuple[int, ...]  #: the parameters' rows in every array of the record
    names: tuple[str, ...]  #: the parameters' names
    elements: int


@dataclass(frozen=True, slots=True)
class LayerRow:
    """What a run says of one layer; ``None`` where it was not seen."""

    layer: Layer
    first: float | None  #: Euclidean norm of the gradient at the first step that saw one
    last: float | None  #: the same at the last step
    state: State  #: of the last step's gradient
    decades: float | None  #: what the layer and all up to the next one did to the gradient's norm, log10
    update: float | None  #: ‖Δw‖/‖w‖ at the last step that measured it
    dead: float | None  #: fraction of units of its activation that are dead
    saturated: float | None  #: fraction of its activation's elements that are saturated
    names: frozenset[str] = frozenset()  #: its own, its parameters' and those of the modules that ran on its output


@dataclass(frozen=True, slots=True)
class Fold:
    """Rows left out of a table, all neighbours."""

    rows: tuple[LayerRow, ...]


def layers(parameters: Sequence[ParameterInfo]) -> tuple[Layer, ...]:
    """Groups parameters by the module that owns them, in the order of their rows."""
    groups: dict[str, list[ParameterInfo]] = {}
    for parameter in parameters:
        groups.setdefault(parameter.module or parameter.name, []).append(parameter)
    return tuple(
        Layer(
            name=name,
            type=group[0].module_type,
            rows=tuple(parameter.index for parameter in group),
            names=tuple(parameter.name for parameter in group),
            elements=sum(int(np.prod(parameter.shape, dtype=np.int64)) for parameter in group),
        )
        for name, group in groups.items()
    )


def gradient(table: Vitals | None, layer: Layer) -> tuple[float | None, State]:
    """The norm of a layer's gradient in one step's vitals, and what kind of gradient it was."""
    if table is None or max(layer.rows) >= len(table):
        return None, "absent"
    part = table[list(layer.rows)]
    there = part[part["count"] >= 0]
    if len(there) == 0:
        return None, "absent"
    # hypot: joining squares of float64 norms could overflow where the norm itself does not.
    norm = float(np.hypot.reduce(norms(there)))
    if there["non_finite"].any():
        return norm, "non_finite"
    return norm, "zero" if norm == 0 else "seen"


def layer_rows(record: Record, ledger: Ledger | None) -> tuple[LayerRow, ...]:
    """One row per layer of the record."""
    found = layers(record.parameters)
    optimizers = {parameter.index: parameter.optimizer for parameter in record.parameters}
    said = _of_ledger(ledger, found)
    updates = _last_updates(record, found)
    every = [step.gradients for step in record.steps]
    by_optimizer: dict[int, list[Vitals | None]] = {}
    for step in record.steps:
        by_optimizer.setdefault(step.optimizer, []).append(step.gradients)
    rows = []
    for layer in found:
        # Another optimizer's steps say nothing of this layer (a GAN's two halves take turns).
        mine = optimizers[layer.rows[0]]
        tables = every if mine is None else by_optimizer.get(mine, [])
        seen = [gradient(tables[i], layer) for i in _ends(tables, layer)]
        first = next((norm for norm, _ in seen if norm is not None), None)
        last, state = seen[-1] if seen else (None, "absent")
        rows.append(
            LayerRow(
                layer, first, last, state, said.decades.get(layer.name), updates.get(layer.name),
                said.dead.get(layer.name), said.saturated.get(layer.name),
                frozenset({layer.name, *layer.names, *said.members.get(layer.name, ())}),
            )
        )  # fmt: skip
    return tuple(rows)


def _ends(tables: Sequence[Vitals | None], layer: Layer) -> list[int]:
    """The first step that saw this layer's gradient, and the last step at all."""
    if not tables:
        return []
    first = next((i for i, table in enumerate(tables) if gradient(table, layer)[0] is not None), 0)
    return [first, len(tables) - 1]


def update_ratios(record: Record, found: Sequence[Layer]) -> NDArray[np.float64]:
    """‖Δw‖/‖w‖ of every layer at every measured step: float64 (steps, layers).

    nan where the update was not seen or the weights are all zero.
    """
    size = max((row for layer in found for row in layer.rows), default=-1) + 1
    above, below = (np.full((len(record.updates), size), np.nan) for _ in range(2))
    for i, row in enumerate(record.updates):  # early rows are shorter where parameters were met later
        count = min(size, len(row.update_norm))
        above[i, :count], below[i, :count] = row.update_norm[:count], row.weight_norm[:count]
    below[np.isnan(above)] = np.nan
    ratios = np.full((len(record.updates), len(found)), np.nan)
    for j, layer in enumerate(found):
        parts = (
            np.hypot.reduce(np.nan_to_num(each[:, list(layer.rows)], posinf=np.inf), axis=1) for each in (above, below)
        )
        moved, weight = parts
        np.divide(moved, weight, out=ratios[:, j], where=weight > 0)
    return ratios


def _last_updates(record: Record, found: Sequence[Layer]) -> dict[str, float]:
    """Each layer's ratio at the last step that measured it."""
    last: dict[str, float] = {}
    for layer, column in zip(found, update_ratios(record, found).T, strict=True):
        seen = column[~np.isnan(column)]
        if seen.size:
            last[layer.name] = float(seen[-1])
    return last


@dataclass(frozen=True, slots=True)
class _Said:
    """What a ledger says, by layer."""

    decades: dict[str, float] = field(default_factory=dict)
    dead: dict[str, float] = field(default_factory=dict)
    saturated: dict[str, float] = field(default_factory=dict)
    members: dict[str, set[str]] = field(default_factory=dict)  #: modules that ran on the layer's output


def _of_ledger(ledger: Ledger | None, found: Sequence[Layer]) -> _Said:
    """Sums the ledger by layer.

    An operation without parameters belongs to the layer that ran last before it: an activation to its weights.
    """
    said = _Said()
    if ledger is None:
        return said
    owner = {name: layer.name for layer in found for name in layer.names}
    names = {layer.name for layer in found}
    marks: list[tuple[int, str]] = []
    for entry in ledger.entries:
        layer = next((owner[name] for name in entry.parameters if name in owner), None)
        layer = layer or (entry.module if entry.module in names else None)
        if layer is not None:
            marks.append((entry.sequence, layer))
    marks.sort()
    sequences = [sequence for sequence, _ in marks]

    def layer_at(sequence: int) -> str | None:
        place = bisect_right(sequences, sequence)
        return marks[place - 1][1] if place else None

    for line in ledger.lines:
        at = layer_at(line.sequence)
        if at is not None and line.kind != "loss":
            said.decades[at] = said.decades.get(at, 0.0) + line.decades
    for activity in ledger.activities:
        at = layer_at(activity.sequence)
        if at is not None:
            said.dead[at] = max(said.dead.get(at, 0.0), dead_fraction(activity))
            said.saturated[at] = max(said.saturated.get(at, 0.0), activity.saturated_fraction)
            said.members.setdefault(at, set()).add(activity.module)
    return said


def dead_fraction(activity: Activity) -> float:
    """Dead units over all units."""
    return activity.dead_units / activity.units if activity.units else 0.0


def fold(rows: Sequence[LayerRow], limit: int, named: Iterable[str] = ()) -> list[LayerRow | Fold]:
    """At most ``limit`` lines: the first rows, the last, those that findings name and those that stand out.

    Neighbours that were left out become one :class:`Fold`, which takes a line.  A fold of a single row is shown as
    that row.
    """
    if len(rows) <= limit:
        return list(rows)
    ends = min(3, max(1, limit // 4))

    def lines(kept: set[int]) -> int:
        return len(kept) + sum(i not in kept and i + 1 in kept for i in range(len(rows) - 1))

    keep = {*range(ends), *range(len(rows) - ends, len(rows))}
    for i in _interesting(rows, set(named)):
        if lines(keep | {i}) <= limit:
            keep.add(i)
    folded: list[LayerRow | Fold] = []
    pending: list[LayerRow] = []
    for i, row in enumerate(rows):
        if i not in keep:
            pending.append(row)
            continue
        _flush(pending, folded)
        folded.append(row)
    _flush(pending, folded)
    return folded


def _flush(pending: list[LayerRow], folded: list[LayerRow | Fold]) -> None:
    if pending:
        folded.append(pending[0] if len(pending) == 1 else Fold(tuple(pending)))
        pending.clear()


def _interesting(rows: Sequence[LayerRow], named: set[str]) -> list[int]:
    """Rows that differ from the usual one, most different first; then evenly spread ones."""
    usual = _median([row.decades for row in rows if row.decades is not None])
    states = [row.state for row in rows]
    common = max(set(states), key=states.count)

    def strangeness(i: int) -> float:
        row = rows[i]
        odd = abs(row.decades - usual) if row.decades is not None and usual is not None else 0.0
        odd += (row.dead or 0.0) + 10 * (row.state != common)
        return odd + 100 * bool(named & row.names)

    strange = [i for i in range(len(rows)) if strangeness(i) > 0.5]
    # Named layers may be all of them; then an even spread says more than the first few.
    if len(strange) > len(rows) // 2:
        strange = []
    spread = [round(part * (len(rows) - 1)) for part in (0.5, 0.25, 0.75, 0.375, 0.625)]  # the middle first
    return sorted(strange, key=strangeness, reverse=True) + spread


def _median(values: Sequence[float]) -> float | None:
    return float(np.median(values)) if len(values) else None
