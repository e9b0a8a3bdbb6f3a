"""Parameters that the loss depends on, and that get no gradient."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from .along import CLEAR, compare
from .direction import Random
from .twin import Twin

#: Each name costs a few evaluations of the loss; whoever has more of them has one cause.
MOST = 16


def starved(twin: Twin, gradient: Sequence[Tensor | None], seed: int) -> list[str]:
    """Names of up to 16 parameters whose gradient is None or zero although the loss changes with them.

    By halving: 4 evaluations of the loss for each set that is looked at.
    """
    waiting = [[place for place, own in enumerate(gradient) if own is None or not bool((own != 0).any())]]
    found: list[str] = []
    while waiting and len(found) < MOST:
        places = waiting.pop()
        if not places or not _matters(twin, gradient, places, seed):
            continue
        if len(places) == 1:
            found.append(twin.names[places[0]])
            continue
        middle = len(places) // 2
        waiting += [places[middle:], places[:middle]]
    return found


def _matters(twin: Twin, gradient: Sequence[Tensor | None], places: Sequence[int], seed: int) -> bool:
    seen = compare(twin, gradient, "random", Random(twin, seed, frozenset(places)))
    return not seen.rough and abs(seen.along.measured) > CLEAR * seen.along.noise
