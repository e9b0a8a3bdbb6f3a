"""The slope of the loss along one direction: by autograd, and by central differences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Literal

from torch import Tensor

from gradclinic.schema.slope import Along

from .direction import Random, Uphill, inner
from .precision import ULPS, Precision
from .twin import Move, Twin

#: A disagreement must stand this far above what two step sizes disagree about.
CLEAR = 10.0
#: Where two step sizes disagree about this fraction of the slope, the loss is not smooth at that scale.
ROUGH = 0.1
#: How much smaller a step is tried there: a kink or a jump then lies within it 64 times more seldom.
FINER = 2.0**-6
#: How often: deep networks at the edge of chaos need the second.
FINER_STEPS = 2


@dataclass(frozen=True, slots=True)
class Measured:
    """One direction's two slopes, and what they are worth."""

    along: Along
    spread: float  #: what two step sizes disagree about
    rounding: float  #: what the loss's rounding may make of the slope

    @property
    def finite(self) -> bool:
        return isfinite(self.along.given) and isfinite(self.along.measured)

    @property
    def size(self) -> float:
        return max(abs(self.along.given), abs(self.along.measured))

    @property
    def apart(self) -> float:
        return abs(self.along.given - self.along.measured)

    @property
    def rough(self) -> bool:
        """The loss has kinks or jumps here that hide its slope."""
        return self.spread > ROUGH * self.size and self.spread > self.rounding

    @property
    def flat(self) -> bool:
        """The slope is lost in rounding."""
        return self.size <= self.rounding

    def disagrees(self, precision: Precision) -> bool:
        """Whether the difference can be neither rounding, nor curvature, nor a kink."""
        return self.apart > CLEAR * self.along.noise and self.along.error > precision.trigger


def look(twin: Twin, gradient: Sequence[Tensor | None], seed: int) -> list[Measured]:
    """Along a random direction, and along the gradient where there is one; 4 evaluations of the loss for each."""
    found = [compare(twin, gradient, "random", Random(twin, seed))]
    uphill = Uphill.of(gradient, twin)
    if uphill is not None:
        found.append(compare(twin, gradient, "gradient", uphill))
    return found


def compare(
    twin: Twin, gradient: Sequence[Tensor | None], name: Literal["random", "gradient"], direction: Move
) -> Measured:
    """Both slopes along ``direction``; with finer steps too where there is a doubt and rounding allows them.

    What a wrong gradient leaves between the two slopes stays at a finer step; what kinks and curvature leave shrinks.
    """
    step = twin.precision.step
    found = _compare(twin, gradient, name, direction, step)
    for _ in range(FINER_STEPS):
        doubtful = found.rough or found.disagrees(twin.precision)
        if not doubtful or found.rounding / FINER > ROUGH * found.size:
            break
        step *= FINER
        finer = _compare(twin, gradient, name, direction, step)
        if finer.apart > found.apart / 2 and not (found.rough and not finer.rough):
            break
        found = finer
    return found


def _compare(
    twin: Twin,
    gradient: Sequence[Tensor | None],
    name: Literal["random", "gradient"],
    direction: Move,
    step: float,
) -> Measured:
    def at(distance: float) -> float:
        def move(place: int) -> Tensor | None:
            along = direction(place)
            return None if along is None else along * distance

        return twin.value(move)

    up, down, far_up, far_down = at(step), at(-step), at(2 * step), at(-2 * step)
    central, wide = (up - down) / (2 * step), (far_up - far_down) / (4 * step)
    rounding = ULPS * twin.precision.epsilon * max(map(abs, (up, down, far_up, far_down))) / step
    given = inner(gradient, direction)
    # Richardson: the two step sizes together cancel the error of second order.
    along = Along(name, given, (4 * central - wide) / 3, abs(central - wide) + rounding)
    return Measured(along, abs(central - wide), rounding)
