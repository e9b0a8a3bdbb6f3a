"""From both ends on several batches to one window."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from gradclinic.schema.window import Side, Window

from .ends import Ends


def window_of(ends: Sequence[Ends], lr: float, steps: int) -> Window:
    """The window over several batches and seeds.

    Raises ValueError where there is none.
    """
    if not ends:
        raise ValueError("a window needs at least one batch")
    return Window(lr, _side([each.low for each in ends]), _side([each.high for each in ends]), steps)


def _side(values: Sequence[float]) -> Side:
    return Side(median(values), min(values), max(values))
