"""The proof: the chosen recipe against the untreated run and random remedies, on fresh seeds, in pairs."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite
from statistics import fmean

from .purse import Purse
from .recipe import Recipe
from .trials import Case, Interval, Outcome, Ward, paired_interval

#: Seeds at first: with two, a t interval is too wide for anything.
SEEDS = 3
#: And at most: from here on the interval hardly narrows.
MORE = 8
#: Random remedies per seed: how well one does depends on which it is more than on the seed.
RANDOM = 2
#: Share of what is left that the first look at the proof takes, so that a plain case costs little; where it is
#: undecided the trials go on for so many times the steps.
FIRST, LONGER = 0.9, 2
#: Share of the treated run's progress from which the untreated one is learning, only more slowly.
HEAD_START = 0.33
#: Steps that a trial takes at least, and share of the budget: in fewer, metrics of a few samples move by chance alone.
FEWEST, LEAST = 8, 0.025

Tell = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Arm:
    """One side of the comparison."""

    name: str  #: "treated", "untreated" or "random"
    recipes: tuple[Recipe, ...]  #: one per seed
    seeds: tuple[int, ...]
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True)
class Proof:
    """What came of it."""

    arms: tuple[Arm, ...]  #: treated, untreated, and the random ones
    values: tuple[tuple[float, ...], ...]  #: of each arm and seed, higher is better: the metric, or the loss turned
    gain: Interval  #: over the untreated run
    over_random: Interval  #: over random remedies
    by_metric: bool  #: False: by the loss, its sign turned
    whole: bool  #: the trials took all steps of the budget
    nothing: float  #: the value of having learned nothing

    @property
    def cured(self) -> bool:
        """Both intervals lie above zero, and it is no mere head start."""
        return self.gain.above_zero and self.over_random.above_zero and not self.head_start

    @property
    def near(self) -> bool:
        """Two more seeds, which halve a t interval of three, would decide it."""
        return not self.head_start and all(
            2 * each.mean > each.mean - each.low for each in (self.gain, self.over_random)
        )

    @property
    def head_start(self) -> bool:
        """The untreated run learns as well, only later: where it arrives is not known before the end."""
        return not self.whole and self.share_untreated > HEAD_START

    @property
    def share_untreated(self) -> float:
        """How much of the treated run's way from nothing the untreated one has gone already."""
        treated, untreated = self.values[:2]
        whole = sum(value - self.nothing for value in treated)
        return sum(value - self.nothing for value in untreated) / whole if whole > 0 else 0.0

    @property
    def hopeless(self) -> bool:
        """On the whole the recipe does worse than no treatment: longer trials would be wasted on it."""
        return self.gain.mean < 0


def prove(
    ward: Ward,
    winner: Recipe,
    pool: Sequence[Recipe],
    purse: Purse,
    budget: int,
    seed: int,
    tell: Tell,
    constant: float | None = None,
) -> Proof:
    """Trains until it is decided, or the purse bears no more; ``pool`` is what random remedies are drawn from.

    ``constant`` is the loss of the best constant prediction, where it is known: at that nothing has been learned.
    First a few seeds for a part of what is left; then the same for longer; then more seeds.
    """
    draw = random.Random(seed)
    columns: list[list[Case]] = [[] for _ in range(2 + RANDOM)]
    seeds = 0

    def more(count: int) -> None:
        nonlocal seeds
        for own in range(seed + seeds + 1, seed + seeds + 1 + count):
            recipes = (winner, Recipe(), *(draw.choice(pool) for _ in range(RANDOM)))
            for column, recipe in zip(columns, recipes, strict=True):
                column.append((recipe, own))
        seeds += count

    def proceed(steps: int) -> Proof:
        def told(case: Case) -> None:
            tell(f"proof, seed {case[1]}: {case[0].says()}", 0.6 + 0.4 * seeds / MORE)

        trained = [ward.train(column, steps, "proof", told) for column in columns]
        return _judged(columns, trained, steps >= budget, constant)

    more(SEEDS)
    steps = int(min(max(purse.left * FIRST / (SEEDS * len(columns)), LEAST * budget, FEWEST), budget))
    proof = proceed(steps)
    while not proof.cured:
        longer = min(steps * LONGER, budget)
        if proof.hopeless:
            break
        if proof.near and seeds < MORE and purse.bears(steps * len(columns)):
            more(1)
        elif longer > steps and purse.bears((longer - steps) * seeds * len(columns)):
            steps = longer
        elif seeds < MORE and purse.bears(steps * len(columns)):
            more(1)
        else:
            break
        proof = proceed(steps)
    return proof


def _judged(
    columns: Sequence[Sequence[Case]], trained: Sequence[Sequence[Outcome]], whole: bool, constant: float | None
) -> Proof:
    names = ("treated", "untreated", *("random",) * RANDOM)
    arms = tuple(
        Arm(name, tuple(recipe for recipe, _ in cases), tuple(seed for _, seed in cases), tuple(outcomes))
        for name, cases, outcomes in zip(names, columns, trained, strict=True)
    )
    values, by_metric = scores(trained)
    own, untreated, *chance = values
    over_random = paired_interval(own * RANDOM, [value for column in chance for value in column])
    nothing = _nothing(trained[1], values[1], constant, by_metric=by_metric)
    gain = paired_interval(own, untreated)
    return Proof(arms, tuple(map(tuple, values)), gain, over_random, by_metric, whole, nothing)


def _nothing(
    untreated: Sequence[Outcome], values: Sequence[float], constant: float | None, *, by_metric: bool
) -> float:
    """The value of having learned nothing: what the untreated runs began with, or a constant prediction's loss."""
    if not by_metric:
        if constant is not None:
            return -constant
        begun = [outcome.losses[0] for outcome in untreated if outcome.losses and isfinite(outcome.losses[0])]
        return -fmean(begun) if begun else min(values)
    known = [outcome.before for outcome in untreated if outcome.before is not None]
    return fmean(known) if known else min(values)


def scores(arms: Sequence[Sequence[Outcome]]) -> tuple[list[list[float]], bool]:
    """Of each arm and seed: the metric where all have one and they differ (True), else the loss, its sign turned.

    A trial that ended counts as the worst that any came to, its first loss included.
    """
    everything = [outcome for arm in arms for outcome in arm]
    metrics = [outcome.metric for outcome in everything if outcome.metric is not None]
    # A metric that is the same for all says nothing; the losses may.
    if len(set(metrics)) > 1 and all(outcome.metric is not None or outcome.ended for outcome in everything):
        worst = min(metrics)
        return [[worst if o.metric is None else o.metric for o in arm] for arm in arms], True
    seen = [loss for o in everything for loss in (o.loss, *o.losses[:1]) if isfinite(loss)]
    floor = max(seen, default=0.0)
    return [[-(o.loss if isfinite(o.loss) else floor) for o in arm] for arm in arms], False
