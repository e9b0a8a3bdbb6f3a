"""Rounds of trials on made-up outcomes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from gradclinic.cure import Change, Recipe
from gradclinic.cure.candidates import Candidate
from gradclinic.cure.halving import NOTHING, Result, equals, finalists, halve, ordered
from gradclinic.cure.purse import Purse
from gradclinic.cure.trials import Case, Outcome


def candidate(lr: float, *more: Change) -> Candidate:
    return Candidate(Recipe.of(Change("learning_rate", {"lr": lr}), *more), 0.0)


GOOD, BETTER, BAD = candidate(1.0), candidate(2.0, Change("normalization", {"kind": "batch"})), candidate(3.0)


class Made:
    """Gives outcomes by the learning rate of the recipe, and remembers what it was asked."""

    def __init__(self, value: Callable[[float, int], Outcome]) -> None:
        self.value, self.asked = value, list[tuple[int, int, tuple[float, ...]]]()

    def train(self, cases: Sequence[Case], steps: int, what: str, tell: Any) -> list[Outcome]:
        rates = [float(recipe.changes[-1].options["lr"]) if recipe.changes else 0.0 for recipe, _ in cases]
        self.asked.append((steps, cases[0][1], tuple(rates)))
        return [self.value(rate, steps) for rate in rates]

    def free(self, kept: Any = ()) -> None:
        pass


def outcome(loss: float, metric: float | None = None, ended: str = "") -> Outcome:
    return Outcome(10, (loss,) * 10, metric, ended)


def test_each_round_has_fewer_candidates_more_steps_and_a_seed_of_its_own() -> None:
    made = Made(lambda rate, steps: outcome(10 - rate))
    rounds: list[list[Result]] = []
    ranked = [candidate(float(rate)) for rate in range(1, 9)]
    halve(rounds, made, ranked, Purse(2000, 4000), 0.57, 2000, 5, lambda what, share: None)  # type: ignore[arg-type]
    assert [(steps, seed) for steps, seed, _ in made.asked] == [(20, 5), (60, 6), (200, 7)]
    assert made.asked[0][2] == (0.0, *(float(rate) for rate in range(1, 9)))
    assert made.asked[1][2] == (0.0, 8.0, 7.0, 6.0, 5.0)
    assert made.asked[2][2] == (8.0, 7.0, 6.0)


def test_what_one_would_build_today_enters_and_stays() -> None:
    made = Made(lambda rate, steps: outcome(10 - rate))
    ranked = [*(candidate(float(rate)) for rate in range(2, 30)), replace(candidate(1.0), usual=True)]
    halve([], made, ranked, Purse(200, 200), 0.5, 2000, 0, lambda what, share: None)  # type: ignore[arg-type]
    assert [1.0 in those for _, _, those in made.asked] == [True, True, True]


def test_a_small_purse_lets_few_in_and_a_large_one_many() -> None:
    for total, entered in ((200, 3), (1e6, 24)):
        made, ranked = Made(lambda rate, steps: outcome(10 - rate)), [candidate(rate / 100) for rate in range(1, 60)]
        halve([], made, ranked, Purse(total, total), 0.5, 2000, 0, lambda what, share: None)  # type: ignore[arg-type]
        assert len(made.asked[0][2]) == entered + 1


def test_order_is_by_loss_and_metric_together_and_what_ended_is_last() -> None:
    results = [(BAD, outcome(1, None, "diverged")), (GOOD, outcome(2, 0.5)), (BETTER, outcome(1, 0.9))]
    assert [c for c, _ in ordered(results)] == [BETTER, GOOD, BAD]


@pytest.mark.parametrize(("share", "found"), [(0.5, [GOOD, BETTER]), (0.95, [BETTER])])
def test_equals_are_those_with_a_share_of_the_gain_the_smaller_first(share: float, found: list[Candidate]) -> None:
    results = [(NOTHING, outcome(3, 0.1)), (BETTER, outcome(1, 0.9)), (GOOD, outcome(2, 0.7)), (BAD, outcome(9, 0.1))]
    assert equals(results, share) == found


def test_of_equals_the_smallest_change_is_proven_first() -> None:
    second = [(NOTHING, outcome(3, 0.1)), (BETTER, outcome(1, 0.9)), (GOOD, outcome(2, 0.7))]
    assert finalists([second, [(BETTER, outcome(1, 0.90)), (GOOD, outcome(1.1, 0.88))]]) == [GOOD, BETTER]
    assert finalists([second, [(BETTER, outcome(1, 0.90)), (GOOD, outcome(1.1, 0.60))]]) == [BETTER, GOOD]


def test_what_did_worse_than_nothing_is_not_proven() -> None:
    second = [(NOTHING, outcome(1, 0.9)), (BETTER, outcome(2, 0.8)), (BAD, outcome(3, 0.5))]
    assert finalists([second, [(BETTER, outcome(1, 0.95)), (BAD, outcome(2, 0.9))]]) == []
