"""The window of learning rates from what was measured, linear theory first, corrected by the real steps."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, isfinite
from statistics import median
from typing import Any

from gradclinic.schema.window import Side, Window

#: e-folds by which the samples' error is to fall in the budget.  Of the set-ups with less, 13 of 209 arrived
#: (``make foresee``).
FOLDS = 1.0
#: Up to twice the stability limit a network throws its loss up, finds a flatter place and survives (Lewkowycz 2020).
CATAPULT = 2.0


def window_of(events: Sequence[dict[str, Any]], steps: int, *, survived: bool, thrown: bool) -> Window | None:
    """From the ``window_ends`` events of all seeds; None where there is none.

    ``survived``: at the user's own rate the steps are foreseen to arrive, so that the rate lies inside whatever the
    linear theory says of the upper end; ``thrown``: they threw the loss up, so that it lies above, unless it survived
    that as well.
    """
    speeds = [e["speed"] * e["gain"] for e in events if e.get("speed") is not None]
    curved = [e for e in events if e.get("curvature")]
    if not speeds or not events:
        return None
    lr = float(events[0]["lr"])
    lows = [FOLDS / (speed * steps) if isfinite(speed) and speed > 0 else inf for speed in speeds]
    highs = [CATAPULT * e["limit"] / e["curvature"] for e in curved if isfinite(e["curvature"])] or [inf]
    if survived:
        lows, highs = [min(low, lr) for low in lows], [max(high, lr) for high in highs]
    elif thrown:
        # One rate is known to be too high; the linear theory may know a lower one.
        highs = [min(high, lr / CATAPULT) for high in highs]
    return Window(lr, _side(lows), _side(highs), steps)


def _side(values: Sequence[float]) -> Side:
    return Side(median(values), min(values), max(values))
