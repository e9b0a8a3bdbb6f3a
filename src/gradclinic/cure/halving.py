"""Successive halving: the candidates train for a few steps, the better ones for more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf, isfinite

from .candidates import Candidate
from .purse import Purse
from .recipe import Recipe
from .trials import Case, Outcome, Ward

#: Shares of the budget that the rounds take (Jamieson and Talwalkar 2016: fewer candidates, more steps).  The last sees
#: a tenth of the training, where what learns fast and what learns well have begun to differ.
ROUNDS = (0.01, 0.03, 0.1)
#: Candidates in the second and in the last round: the best, the smallest that is promising, the best of what one would
#: build today, which is large and may learn late, and so on.
SECOND, LAST = 4, 3
FEWEST, ENOUGH = 8, 300  #: steps of the first round: fewer say nothing, and more are better spent on other candidates
LEAST, MOST = 3, 24  #: candidates of the first round
#: Of equals the smallest wins: equal is what has this share of the best gain.
EQUAL = 0.9
#: Share of the best gain from which the smallest change goes on beside the best.
PROMISING = 0.25

Tell = Callable[[str, float], None]
Result = tuple[Candidate, Outcome]

NOTHING = Candidate(Recipe(), 0.0)


def halve(
    rounds: list[list[Result]],
    ward: Ward,
    ranked: Sequence[Candidate],
    purse: Purse,
    share: float,
    budget: int,
    seed: int,
    tell: Tell,
) -> None:
    """Adds to ``rounds``, each on a seed of its own from ``seed`` on, doing nothing beside them in all but the last.

    As many candidates enter as ``share`` of the purse can bear.
    """
    first, second, last = (max(FEWEST, round(part * budget)) for part in ROUNDS)
    first = min(first, ENOUGH)
    room = (share * purse.total - (SECOND + 1) * second - LAST * last) / first - 1
    entering = [*ranked[: int(min(max(room, LEAST), MOST))], *(each for each in ranked if each.usual)]
    going = list(dict.fromkeys(entering))

    def train(those: Sequence[Candidate], steps: int) -> list[Result]:
        turn = len(rounds)

        def told(case: Case) -> None:
            tell(f"round {turn + 1} of {len(ROUNDS)}: {case[0].says()}", 0.3 + 0.1 * turn)

        outcomes = ward.train([(candidate.recipe, seed + turn) for candidate in those], steps, "rounds", told)
        ward.free()
        rounds.append(list(zip(those, outcomes, strict=True)))
        return rounds[-1]

    for steps, kept in ((first, SECOND), (second, LAST)):
        results = train([NOTHING, *going], steps)
        best = [candidate for candidate, _ in ordered(results) if candidate is not NOTHING]
        smaller = equals(results, PROMISING)[:1]
        usual = [candidate for candidate in best if candidate.usual][:1]
        going = list(dict.fromkeys([*best[:1], *smaller, *usual, *best]))[:kept]
    train(going, last)


def finalists(rounds: Sequence[Sequence[Result]]) -> list[Candidate]:
    """The candidates of the last round, the one to prove first: the smallest of those as good as the best.

    None where all did worse than nothing in the round before.
    """
    nothing = next(outcome for candidate, outcome in rounds[-2] if candidate is NOTHING)
    before = dict(rounds[-2])
    results = [pair for pair in rounds[-1] if _better(before[pair[0]], nothing)]
    if not results:
        return []
    best = ordered(results)[0]
    value = _value([*(outcome for _, outcome in results), nothing])
    gain = value(best[1]) - value(nothing)
    equal = [c for c, o in results if c is best[0] or (gain > 0 and value(o) - value(nothing) >= EQUAL * gain)]
    first = min(equal, key=lambda candidate: candidate.recipe.size)
    return [first, *(candidate for candidate, _ in ordered(results) if candidate is not first)]


def ordered(results: Sequence[Result]) -> list[Result]:
    """Best first, by the sum of the ranks in metric and in loss: early on either may still be flat."""
    losses = sorted(outcome.loss for _, outcome in results)
    metrics = sorted((_metric(outcome) for _, outcome in results), reverse=True)

    def rank(pair: Result) -> tuple[float, int]:
        outcome = pair[1]
        return losses.index(outcome.loss) + metrics.index(_metric(outcome)), pair[0].recipe.size

    return sorted(results, key=rank)


def equals(results: Sequence[Result], share: float) -> list[Candidate]:
    """Those with at least ``share`` of the best one's gain over doing nothing, the smallest and then the best first."""
    ranked = ordered(results)
    best = ranked[0]
    nothing = next(outcome for candidate, outcome in results if candidate is NOTHING)
    value = _value([outcome for _, outcome in results])
    gain = value(best[1]) - value(nothing)
    found = [c for c, o in ranked if c is not NOTHING and gain > 0 and value(o) - value(nothing) >= share * gain]
    return sorted(found, key=lambda candidate: candidate.recipe.size)


def _better(one: Outcome, other: Outcome) -> bool:
    return one.loss < other.loss or _metric(one) > _metric(other)


def _value(outcomes: Sequence[Outcome]) -> Callable[[Outcome], float]:
    """The metric where all have one, else the loss with its sign turned; the worst of all for a trial that ended."""
    if all(outcome.metric is not None for outcome in outcomes) and len({o.metric for o in outcomes}) > 1:
        return _metric
    floor = max((o.loss for o in outcomes if isfinite(o.loss)), default=0.0)
    return lambda outcome: -(outcome.loss if isfinite(outcome.loss) else floor)


def _metric(outcome: Outcome) -> float:
    return -inf if outcome.metric is None else outcome.metric
