"""How many steps each round of a grid takes, within a budget."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from gradclinic.errors import UserError

#: Steps of a trial that say anything: as in a treatment's first round.
FEWEST = 8
#: Share of the rates that goes on (Jamieson and Talwalkar 2016, arXiv:1502.07943), and how many a last round compares.
KEPT, LAST = 0.5, 3
#: Share of the last round: the rate that is best after a few steps is not the one for many (Wu et al. 2018,
#: arXiv:1803.02021), so those that are compared last should train for long.
CHOOSING = 0.5
#: What a search is planned to cost, in full training runs, where nobody says.
DEFAULT = 3.0


@dataclass(frozen=True, slots=True)
class Plan:
    """One round: so many rates, each for so many steps on each replicate."""

    rates: int
    steps: int


def plan(count: int, replicates: int, steps: int, budget: float | None, *, together: bool = False) -> list[Plan]:
    """The last round takes half of the budget, the others share the rest; none is longer than the whole training.

    ``budget`` is in full training runs.  ``together``: one round in which all rates train for equally long.

    Raises:
        UserError: too few steps to tell rates apart.
    """
    if steps < 2 * FEWEST:
        raise UserError(f"a training of {steps} steps is too short to tell learning rates apart: {2 * FEWEST} at least")
    counts = [count]
    while counts[-1] > LAST and not together:
        counts.append(max(ceil(KEPT * counts[-1]), LAST))
    others = len(counts) - 1
    shares = [(1 - CHOOSING) / others] * others + [CHOOSING] if others else [1.0]
    total = (DEFAULT if budget is None else budget) * steps
    first = int(shares[0] * total / (count * replicates))
    if budget is not None and first < FEWEST:
        needed = FEWEST * count * replicates / (shares[0] * steps)
        raise UserError(
            f"a budget of {budget:g} training runs leaves each of {count} rates {first} steps on each of {replicates}"
            f" seeds or folds, too few to tell them apart: give --budget {ceil(10 * needed) / 10:g} or a smaller --grid"
        )
    pairs = zip(counts, shares, strict=True)
    return [Plan(each, min(max(int(share * total / (each * replicates)), FEWEST), steps)) for each, share in pairs]
