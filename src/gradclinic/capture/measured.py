"""The numbers of one step on their way from the device: gradients, losses, the clipped norm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from gradclinic.measure import vitals
from gradclinic.schema.vitals import VITALS, Vitals, absent


@dataclass(frozen=True, slots=True)
class Measured:
    """One launch of the vitals over a step's gradients and its few scalars: a single transfer per device."""

    pending: vitals.Pending
    count: int  #: gradients come first in the table
    scalars: tuple[float | None, ...]  #: known already, or None where they come with the table
    loss_count: int
    has_norm: bool
    has_scale: bool
    rows: tuple[int, ...] | None = None  #: where each gradient belongs, if not in order
    height: int = 0

    @classmethod
    def launch(
        cls,
        gradients: Sequence[Tensor | None],
        losses: Sequence[Tensor | float],
        norm: Tensor | float | None,
        scale: Tensor | float | None,
        *,
        exponents: bool,
    ) -> Measured:
        extra = [*losses, *([] if norm is None else [norm]), *([] if scale is None else [scale])]
        known = tuple(value if isinstance(value, float) else None for value in map(number, extra))
        remote = [value for value in extra if isinstance(value, Tensor) and value.device.type != "cpu"]
        pending = vitals.launch([*gradients, *remote], exponents=exponents)
        return cls(pending, len(gradients), known, len(losses), norm is not None, scale is not None)

    def ready(self) -> bool:
        return self.pending.done()

    def scattered(self, rows: Sequence[int | None], height: int) -> Measured:
        """The same, with gradient i in row ``rows[i]`` of a table of ``height`` rows."""
        return replace(self, rows=tuple(-1 if row is None else row for row in rows), height=height)

    def gradients(self) -> Vitals:
        """One row per parameter, divided by the gradient scaler's scale where a fused optimizer still has it in."""
        table = self.pending.result()[0][: self.count]
        if self.has_scale:
            table = _divided(table, self._scalars()[-1])
        if self.rows is None:
            return table
        spread = absent(self.height)
        for row, source in zip(self.rows, table, strict=False):
            if row >= 0:
                spread[row] = source
        return spread

    def exponents(self) -> NDArray[np.int64] | None:
        counts = self.pending.result()[1]
        return None if counts is None or self.rows is not None else counts[: self.count]

    def losses(self) -> list[float]:
        return self._scalars()[: self.loss_count]

    def norm(self) -> float | None:
        return self._scalars()[self.loss_count] if self.has_norm else None

    def _scalars(self) -> list[float]:
        remote = iter(self.pending.result()[0][self.count :])
        return [_value(next(remote)) if scalar is None else scalar for scalar in self.scalars]


def number(value: Tensor | float) -> Tensor | float:
    """A scalar's value where it lies on the host; the detached tensor where reading it would wait for a device."""
    if isinstance(value, Tensor):
        return float(value.detach()) if value.device.type == "cpu" else value.detach()
    return float(value)


def _value(row: np.void) -> float:
    """A one-element tensor's value from its vitals."""
    return float("nan") if row["non_finite"] else float(row["total"])


def _divided(table: Vitals, scale: float) -> Vitals:
    divided = np.array(table, VITALS)
    for field, power in (("total", 1), ("smallest", 1), ("largest", 1), ("square_sum", 2)):
        divided[field] = divided[field] / scale**power
    return divided
