"""How many steps each round of a grid takes, within a budget."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from gradclinic.errors import UserError

#: Steps of a trial that say anything: as in a treatment's first round.
FEWEST = 8
#: Share of the rates that goes on (Jamieson and Talwalkar 2016, arXiv:1502.07943), and how many a last round compares.
KEPT, LAST = 0.5, 3
#: What a search is planned to cost, in full training runs, where nobody says.
DEFAULT = 3.0


@dataclass(frozen=True, slots=True)
class Plan:
    """One round: so many rates, each for so many steps on each replicate."""

    rates: int
    steps: int


def plan(count: int, replicates: int, steps: int, budget: float | None) -> list[Plan]:
    """Rounds of equal cost, none longer than the whole training; ``budget`` in full training runs.

    Raises:
        UserError: too few steps to tell rates apart.
    """
    if steps < 2 * FEWEST:
        raise UserError(f"a training of {steps} steps is too short to tell learning rates apart: {2 * FEWEST} at least")
    counts = [count]
    while counts[-1] > LAST:
        counts.append(max(ceil(KEPT * counts[-1]), LAST))
    share = (DEFAULT if budget is None else budget) * steps / len(counts)
    first = int(share / (count * replicates))
    if budget is not None and first < FEWEST:
        needed = FEWEST * count * replicates * len(counts) / steps
        raise UserError(
            f"a budget of {budget:g} training runs leaves each of {count} rates {first} steps on each of {replicates}"
            f" seeds or folds, too few to tell them apart: give --budget {ceil(10 * needed) / 10:g} or a smaller --grid"
        )
    return [Plan(each, min(max(int(share / (each * replicates)), FEWEST), steps)) for each in counts]
