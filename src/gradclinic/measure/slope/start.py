"""The first evaluations: in which precision, and whether two of them agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import torch
from torch import Tensor, nn

from gradclinic.measure.jacobian import NoProduct
from gradclinic.measure.jacobian.exceptions import in_one_line

from .copying import NoTwin
from .memory import TooLarge, room, within
from .nodes import hand_written
from .precision import DOUBLE, SINGLE, ULPS, Precision, coarsest
from .twin import Loss, Twin


class TooCoarse(NoProduct):
    """The model computes in half precision: finite differences would measure its rounding."""


@dataclass(frozen=True, slots=True)
class Start:
    """A twin, its gradient at the weights given, and two values of its loss that should be one."""

    twin: Twin
    first: float
    second: float
    gradient: Sequence[Tensor | None]
    narrow: str | None  #: why not float64
    by_hand: bool  #: the loss's graph holds a hand-written function

    @property
    def steady(self) -> bool:
        """Sums that a device adds up in another order each time count as the same."""
        if not (isfinite(self.first) and isfinite(self.second)):
            return isfinite(self.first) == isfinite(self.second)
        return abs(self.first - self.second) <= ULPS * self.twin.precision.epsilon * abs(self.first)


def start(model: nn.Module, loss: Loss, batch: Any, *, seed: int = 0, most: int | None = None) -> Start:
    """Two evaluations and one backward pass, in float64 where the model takes that and memory (``most``) allows.

    Raises NoTwin where it can be computed in no precision, TooCoarse where only in half.
    """
    try:
        found = _double(model, loss, batch, seed, most)
        if isinstance(found, Start):
            return found
    except NoTwin:
        raise
    except Exception as error:  # the user's code, or torch's for lack of a kernel
        found = f"in float64 it raised {in_one_line(error)}"
    try:
        twin = Twin(model, loss, batch, SINGLE, seed=seed)
        first = twin.value()
        second, gradient, graph = twin.gradient()
    except NoTwin:
        raise
    except Exception as error:
        raise NoTwin(f"the loss raised {in_one_line(error)}") from error
    dtype = coarsest(graph)
    if torch.finfo(dtype).eps > SINGLE.epsilon:
        raise TooCoarse(f"it computes in {Precision(dtype, 0, 0, 0).name}, and not in float64: {found}")
    return Start(twin, first, second, gradient, found, any(hand_written([graph])))


def _double(model: nn.Module, loss: Loss, batch: Any, seed: int, most: int | None) -> Start | str:
    """In float64, or why not."""
    limit = room(model, most)
    if limit < 0:
        return "a copy in float64 would take too much memory"
    try:
        twin = Twin(model, loss, batch, DOUBLE, seed=seed)
        with within(limit):
            first = twin.value()
        second, gradient, graph = twin.gradient()
    except (TooLarge, torch.OutOfMemoryError):
        return "a step in float64 would take too much memory"
    dtype = coarsest(graph)
    if dtype != DOUBLE.dtype:
        return f"it computes in {Precision(dtype, 0, 0, 0).name} inside"
    return Start(twin, first, second, gradient, None, any(hand_written([graph])))
