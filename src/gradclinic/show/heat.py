"""Layers by steps: the norms of all gradients of a run, thinned out to what a screen can show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gradclinic.schema.record import ParameterInfo, Record, Step
from gradclinic.schema.vitals import absent, norms

from .layers import STATES, Layer, layers

#: More columns than this are finer than a page's pixels; more rows cannot be told apart.
MAX_COLUMNS = 600
MAX_ROWS = 400

_SEEN, _ZERO, _NON_FINITE, _ABSENT, _NOT_STEPPED = range(len(STATES))


@dataclass(frozen=True, slots=True)
class Heat:
    """Gradient norms of a run.  Rows are layers, columns are steps or groups of neighbouring steps."""

    layers: tuple[Layer, ...]
    ticks: NDArray[np.int64]  #: (columns,) the first tick of each column
    log10: NDArray[np.float64]  #: (rows, columns) log10 of the norm; nan where the state is not "seen"
    state: NDArray[np.uint8]  #: (rows, columns) index into ``layers.STATES``
    steps: int  #: steps behind the columns
    layers_total: int  #: layers behind the rows


def heat(
    record: Record, named: Sequence[str] = (), *, max_columns: int = MAX_COLUMNS, max_rows: int = MAX_ROWS
) -> Heat:
    """The heat map of a record.

    A column of several steps shows the largest norm, and a state that is not "seen" only where one step was
    non-finite or where no step at all had a number, so that neither a spike nor a nan is thinned away.
    Of more than ``max_rows`` layers an even choice is shown, with the first, the last and the ``named`` ones.
    """
    every = layers(record.parameters)
    chosen = _choose(every, set(named), max_rows)
    steps = [step for step in record.steps if step.gradients is not None]
    columns = min(len(steps), max_columns)
    edges = [round(i * len(steps) / columns) for i in range(columns + 1)] if columns else [0]
    norm = np.full((len(chosen), columns), -np.inf)
    state = np.full((len(chosen), columns), _NOT_STEPPED, np.uint8)
    join = _Joiner(chosen, record.parameters)
    for column in range(columns):
        for step in steps[edges[column] : edges[column + 1]]:
            one_norm, one_state = join(step)
            norm[:, column] = np.maximum(norm[:, column], one_norm)
            state[:, column] = _joined(state[:, column], one_state)
    with np.errstate(divide="ignore", invalid="ignore"):
        log10 = np.where(state == _SEEN, np.log10(norm), np.nan)
    ticks = np.array([steps[edge].tick for edge in edges[:-1]], np.int64)
    return Heat(tuple(chosen), ticks, log10, state, len(steps), len(every))


def _choose(every: Sequence[Layer], named: set[str], limit: int) -> list[Layer]:
    if len(every) <= limit:
        return list(every)
    must = {0, len(every) - 1} | {i for i, layer in enumerate(every) if named & {layer.name, *layer.names}}
    must = set(sorted(must)[:limit])
    spread = np.linspace(0, len(every) - 1, max(limit - len(must), 0), dtype=int)
    return [every[i] for i in sorted(must | set(spread.tolist()))]


class _Joiner:
    """Joins the rows of a step's vitals into layers, all layers at once: long runs have many steps."""

    def __init__(self, chosen: Sequence[Layer], parameters: Sequence[ParameterInfo]) -> None:
        self.order = np.array([row for layer in chosen for row in layer.rows], np.int64)
        sizes = [len(layer.rows) for layer in chosen]
        self.starts = np.cumsum([0, *sizes[:-1]]).astype(np.int64) if sizes else np.zeros(0, np.int64)
        self.sizes = np.array(sizes, np.int64)
        steppers = {parameter.index: parameter.optimizer for parameter in parameters}
        self.steppers = np.array([-1 if (o := steppers[row]) is None else o for row in self.order], np.int64)

    def __call__(self, step: Step) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        table = step.gradients
        if table is None or not len(self.starts):
            return np.full(len(self.starts), -np.inf), np.full(len(self.starts), _ABSENT, np.uint8)
        if self.order.max() >= len(table):  # parameters that were met later have no row in early steps
            table = np.concatenate([table, absent(int(self.order.max()) + 1 - len(table))])
        each = np.nan_to_num(norms(table)[self.order], nan=-1.0, posinf=np.inf)
        largest = np.maximum.reduceat(each, self.starts)
        # Divided by the largest before squaring: squares of float64 norms overflow where the norm does not.
        scale = np.repeat(np.where(largest > 0, largest, 1.0), self.sizes)
        norm = largest * np.sqrt(np.add.reduceat(np.square(np.maximum(each, 0.0) / scale), self.starts))
        bad = np.add.reduceat(table["non_finite"][self.order], self.starts) > 0
        elsewhere = np.logical_and.reduceat((self.steppers >= 0) & (self.steppers != step.optimizer), self.starts)
        state = np.select(
            [bad, largest > 0, largest == 0, elsewhere], [_NON_FINITE, _SEEN, _ZERO, _NOT_STEPPED], _ABSENT
        )
        return np.where(largest > 0, norm, -np.inf), state.astype(np.uint8)


#: Which state stays when steps are joined into one column: the most telling one.
_WEIGHT = np.array([3, 2, 4, 1, 0], np.uint8)


def _joined(left: NDArray[np.uint8], right: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.where(_WEIGHT[right] > _WEIGHT[left], right, left)
