"""How many steps a trial of a search takes, and one of its confirmation, within a budget."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from gradclinic.errors import UserError

from ..tuning.halving import FEWEST

#: What a search is planned to cost, in full training runs, where nobody says: several settings need trials that show
#: more of the training than a rate alone does.
DEFAULT = 10.0
#: Share of the budget that the trials take; the rest confirms what they found.
TRIALS = 0.5
#: Parts of a trial at which it is looked at: thirds of thirds, as in successive halving with the usual factor of 3
#: (Li et al. 2018, arXiv:1603.06560).
STAGES = (1 / 9, 1 / 3, 1.0)
#: Whole trials before one is stopped for doing worse than their median (Optuna's default).
WHOLE = 5
#: What each later trial costs on average, as a share of a whole one.  Where half end at each stage it is
#: 1/9 + 1/2·2/9 + 1/4·2/3 = 0.39; but what a sampler proposes later is better than what it is compared with, and 0.6
#: were seen on the example.
LATER = 0.6
#: Settings that are trained again; beside the user's own.
FINALISTS = 3


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps, as planned."""

    trial: int  #: of a whole trial
    final: int  #: of each training that confirms
    limit: float  #: steps of all trials together at which no new one is begun

    @property
    def stages(self) -> list[int]:
        """The steps after which a trial is looked at; the last are all."""
        return sorted({min(max(FEWEST, ceil(share * self.trial)), self.trial) for share in STAGES})


def whole_trials(trials: int, together: int = 1) -> float:
    """What ``trials`` are expected to cost, in whole ones, where so many are trained ``together``."""
    first = min(trials, ceil(WHOLE / together) * together)
    return first + LATER * (trials - first)


def plan(trials: int, seeds: int, steps: int, budget: float | None, *, together: int = 1) -> Plan:
    """Half of ``budget`` full training runs for ``trials``, half for the finalists; none is longer than the training.

    Raises:
        UserError: too few steps to tell settings apart.
    """
    if steps < 2 * FEWEST:
        raise UserError(f"a training of {steps} steps is too short to tell settings apart: {2 * FEWEST} at least")
    total = (DEFAULT if budget is None else budget) * steps
    whole = whole_trials(trials, together)
    trial = int(TRIALS * total / whole)
    # The finalists and the user's own, and then the best of them and the user's own on fresh seeds.
    finals = (FINALISTS + 1 + 2) * seeds
    final = int((1 - TRIALS) * total / finals)
    if budget is not None and min(trial, final) < 2 * FEWEST:
        least = 2 * FEWEST / steps
        needed = max(least * whole / TRIALS, least * finals / (1 - TRIALS))
        raise UserError(
            f"a budget of {budget:g} training runs leaves {trials} trials {trial} steps each, and those that confirm"
            f" {final}, too few to tell them apart: give --budget {ceil(10 * needed) / 10:g} or fewer --trials"
        )
    trial, final = (min(max(each, 2 * FEWEST), steps) for each in (trial, final))
    return Plan(trial, final, max(TRIALS * total, whole * trial))
