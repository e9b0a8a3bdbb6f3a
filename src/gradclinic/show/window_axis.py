"""The window of learning rates on a logarithmic axis of text, with the user's own rate marked."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from .words import number

#: Decades shown on either side of everything that is marked.
MARGIN = 0.7
#: An end beyond this many decades from the user's rate is not drawn to scale.
FAR = 8.0


@dataclass(frozen=True, slots=True)
class Axis:
    """Learning rates on a logarithmic axis: where it begins and ends, in decades, and what is marked."""

    begin: float
    end: float
    rate: float  #: decades of the user's learning rate
    low: float
    high: float

    @property
    def empty(self) -> bool:
        """Whether no learning rate lies inside."""
        return self.low >= self.high


def axis_of(window: dict[str, Any]) -> Axis:
    """The axis for a report's ``window``."""
    rate = math.log10(window["lr"][0])
    low, high = (_decades(window[name], rate) for name in ("lr_min", "lr_max"))
    marks = (rate, low, high)
    return Axis(min(marks) - MARGIN, max(marks) + MARGIN, rate, low, high)


def window_lines(window: dict[str, Any], width: int, *, plain_ascii: bool) -> tuple[str, str]:
    """A line with the window drawn thick and the rate on it, and one with the numbers below their places."""
    axis = axis_of(window)
    thin, thick, mark = ("-", "=", "o") if plain_ascii else ("─", "━", "●")

    def place(decades: float) -> int:
        return round((decades - axis.begin) / (axis.end - axis.begin) * (width - 1))

    low, high, rate = place(axis.low), place(axis.high), place(axis.rate)
    drawn = [thick if low <= column <= high and not axis.empty else thin for column in range(width)]
    drawn[rate] = mark
    labels = {rate: f"lr {number(window['lr'][0])}"}
    if not axis.empty:
        labels.setdefault(low, number(window["lr_min"]))
        labels.setdefault(high, number(window["lr_max"]))
    return "".join(drawn), _labelled(labels, width)


def _labelled(labels: dict[int, str], width: int) -> str:
    """Texts centred on their columns; what has no room beside those before it is left out."""
    line = [" "] * width
    for column, text in labels.items():
        start = min(max(column - len(text) // 2, 0), width - len(text))
        around = line[max(start - 1, 0) : start + len(text) + 1]
        if start >= 0 and all(letter == " " for letter in around):
            line[start : start + len(text)] = text
    return "".join(line).rstrip()


def _decades(value: object, rate: float) -> float:
    """Decades of an end, no further than :data:`FAR` from the rate; "inf" is what JSON calls infinity."""
    known = float(value)  # type: ignore[arg-type]
    decades = math.log10(known) if 0 < known < math.inf else math.copysign(math.inf, known - 1)
    return min(max(decades, rate - FAR), rate + FAR)
