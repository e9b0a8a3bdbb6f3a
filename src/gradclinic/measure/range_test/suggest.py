"""Three readings of a range test: the steepest fall, the valley, and a tenth of the minimum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import isfinite, log
from statistics import fmean

from .smoothing import smoothed

#: Points on either side that a slope is fitted to: of a curve that averages ten, fewer are no news.
HALF = 5
#: Points without which a curve has no shape.
FEWEST = 5
#: At the minimum the loss has stopped to fall: a tenth of that rate (Bengio 2012, arXiv:1206.5533; fastai).
BACK = 10.0


@dataclass(frozen=True, slots=True)
class Suggestions:
    """Learning rates; None where the curve has no answer."""

    steepest: float | None = None  #: where the loss falls fastest in log(rate)
    valley: float | None = None  #: the middle of the longest fall
    minimum: float | None = None  #: a tenth of the rate of the lowest loss

    def to_dict(self) -> dict[str, float | None]:
        """As plain data."""
        return asdict(self)


def suggest(rates: Sequence[float], losses: Sequence[float]) -> Suggestions:
    """The three readings of raw losses at rising rates.  None of each where the loss never falls."""
    pairs = zip(rates, losses, smoothed(losses), strict=True)
    kept = [(rate, smooth) for rate, loss, smooth in pairs if isfinite(loss) and rate > 0]
    if len(kept) < FEWEST:
        return Suggestions()
    lowest = min(range(len(kept)), key=lambda place: kept[place][1])
    if lowest == 0:
        return Suggestions()
    return Suggestions(_steepest(kept[: lowest + 1]), _valley(kept), kept[lowest][0] / BACK)


def _steepest(falling: Sequence[tuple[float, float]]) -> float | None:
    """The steepest line through :data:`HALF` points on either side, over log(rate).

    Only up to the minimum: what falls behind it falls from an overshoot.  The first points are left out, where the mean
    is of a few losses and falls by chance.
    """
    places = range(2 * HALF, len(falling) - HALF)
    slopes = [(_slope(falling[place - HALF : place + HALF + 1]), falling[place][0]) for place in places]
    slope, rate = min(slopes, default=(0.0, 0.0))
    return rate if slope < 0 else None


def _slope(points: Sequence[tuple[float, float]]) -> float:
    """Of the least-squares line."""
    logs = [log(rate) for rate, _ in points]
    centre = fmean(logs)
    return sum((x - centre) * loss for x, (_, loss) in zip(logs, points, strict=True)) / sum(
        (x - centre) ** 2 for x in logs
    )


def _valley(curve: Sequence[tuple[float, float]]) -> float | None:
    """The middle of the longest falling subsequence, as fastai's ``valley``."""
    lengths = [1] * len(curve)
    for i in range(1, len(curve)):
        lengths[i] = 1 + max((lengths[j] for j in range(i) if curve[i][1] < curve[j][1]), default=0)
    longest = max(lengths)
    end = lengths.index(longest)
    third = longest / 3
    place = max(end - longest + int(third) + int(third / 2), 0)
    return curve[place][0] if longest > 1 else None
