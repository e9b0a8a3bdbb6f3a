"""What each measurement says alone: why the forecast is made of what it is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isfinite, log
from typing import Any

from sklearn.metrics import roc_auc_score

from gradclinic.diagnose.forecast.signs import FLOOR, Point, point, signs

from .outcome import ARRIVED
from .rows import Row

#: A loss that is no number, in units of the constant prediction's.
LOST = 1e6
#: Times the limit of stability, where no catapult is known to save a network.
BEYOND = 10.0


def alone(measured: Sequence[Row]) -> dict[str, float]:
    """Area under the ROC curve of each measurement by itself."""
    truth = [row.outcome.trained for row in measured]
    return {name: round(float(roc_auc_score(truth, [score(row) for row in measured])), 3) for name, score in SCORES}


def ends(measured: Sequence[Row]) -> dict[str, list[int]]:
    """How many trained, of how many: with less than one e-fold, and far beyond the limit of stability."""
    slow = [row for row in measured if max(_speed(0)(row), _speed(-1)(row)) < 1]
    fast = [row for row in measured if -_limit(row) > BEYOND]
    parts = {"less than one e-fold (lr·ρ·T < 1)": slow, f"lr·λ_max beyond {BEYOND:g} times the limit": fast}
    return {name: [sum(row.outcome.trained for row in part), len(part)] for name, part in parts.items()}


def _sign(name: str, direction: int) -> Callable[[Row], float]:
    def score(row: Row) -> float:
        signs = row.forecast().signs
        value = getattr(signs[0], name) if signs else None
        return 0.0 if value is None else direction * float(value)

    return score


def _explained(at: int) -> Callable[[Row], float]:
    """The first sign, had the steps ended at ``at``."""

    def score(row: Row) -> float:
        sets: dict[str, list[Point]] = {}
        for data in (data for kind, data in row.events if kind == "baseline" and data["at"] <= at):
            made = point(data)
            if made is not None:
                sets.setdefault(data["probe"], []).append(made)
        found = signs(list(sets.values()), [], 0.0, row.steps)
        return log(FLOOR) if found is None else found.explained

    return score


def _speed(place: int) -> Callable[[Row], float]:
    """lr·ρ·T at step 0 (place 0) or after the real steps (-1)."""

    def score(row: Row) -> float:
        ends = [data for kind, data in row.events if kind == "window_ends"]
        value = ends[place]["lr"] * ends[place]["speed"] * ends[place]["gain"] * row.steps if ends else 0.0
        return float(value) if isfinite(value) else LOST

    return score


def _limit(row: Row) -> float:
    """How far the learning rate stays below the optimizer's limit, after the real steps."""
    ends = [data for kind, data in row.events if kind == "window_ends" and data["curvature"] is not None]
    over = ends[-1]["lr"] * ends[-1]["curvature"] / ends[-1]["limit"] if ends else LOST
    return -min(over, LOST) if isfinite(over) else -LOST


def _fall(at: int) -> Callable[[Row], float]:
    """The loss at the end if it goes on falling as it fell until ``at``, on batches that are not trained on."""

    def score(row: Row) -> float:
        points = [data for kind, data in row.events if kind == "baseline" and data["probe"] == "new"]
        first, last = (_logarithm(data, row) for data in (points[0], _at(points, at)))
        return -(last - (first - last) / at * (row.steps - at))

    return score


def _at(points: Sequence[dict[str, Any]], at: int) -> dict[str, Any]:
    return next((data for data in points if data["at"] == at), points[-1])


def _logarithm(data: dict[str, Any], row: Row) -> float:
    value = data["loss"]
    ratio = LOST if value is None else min(max(value / (ARRIVED * row.outcome.constant), 1 / LOST), LOST)
    return log(ratio)


SCORES: tuple[tuple[str, Callable[[Row], float]], ...] = (
    ("the upper end: lr·λ_max against the limit, after the real steps", _limit),
    ("the lower end: lr·ρ·T at step 0", _speed(0)),
    ("the same after 24 real steps", _speed(-1)),
    ("the same with the growth of ρ carried on", _sign("carried", 1)),
    ("the loss itself, its fall in 12 steps carried on", _fall(12)),
    ("the loss itself, its fall in 24 steps carried on", _fall(24)),
    ("what the outputs will explain, from 12 real steps", _explained(12)),
    ("what the outputs will explain, from 24", _sign("explained", 1)),
    ("the excess that will be left", _sign("excess", -1)),
    ("the four signs together", lambda row: row.forecast().probability or 0.0),
)
