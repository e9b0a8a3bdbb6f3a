"""What may be claimed, on made-up outcomes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from gradclinic.cure import Change, Recipe
from gradclinic.cure.proof import MORE, SEEDS, prove, scores
from gradclinic.cure.purse import Purse
from gradclinic.cure.trials import Case, Outcome

WINNER, OTHER = Recipe.of(Change("learning_rate", {"lr": 1.0})), Recipe.of(Change("learning_rate", {"lr": 9.0}))


def outcome(metric: float | None = None, loss: float = 1.0, steps: int = 10, ended: str = "") -> Outcome:
    return Outcome(steps, (loss,) * steps, metric, ended)


class Made:
    def __init__(self, value: Callable[[str, int, int], Outcome], purse: Purse) -> None:
        self.value, self.purse, self.known = value, purse, dict[tuple[str, int], int]()

    def train(self, cases: Sequence[Case], steps: int, what: str, tell: Any) -> list[Outcome]:
        names = {WINNER.key: "winner", "": "nothing"}
        for recipe, seed in cases:
            before = self.known.get((recipe.key, seed), 0)
            self.purse.spend(what, max(steps - before, 0))
            self.known[recipe.key, seed] = max(steps, before)
        return [self.value(names.get(recipe.key, "random"), seed, steps) for recipe, seed in cases]


def run(value: Callable[[str, int, int], Outcome], most: float = 1e5, budget: int = 1200) -> tuple[Any, Made]:
    purse = Purse(1200, most)
    made = Made(value, purse)
    return prove(made, WINNER, [OTHER], purse, budget, 10, lambda what, share: None), made  # type: ignore[arg-type]


def test_a_plain_case_is_decided_at_the_first_look() -> None:
    proof, made = run(lambda who, seed, steps: outcome(0.9 if who == "winner" else 0.1))
    assert proof.cured
    assert proof.gain.mean == pytest.approx(0.8)
    assert {seed for _, seed in made.known} == {11, 12, 13}  # not those that the recipe was chosen by
    assert made.purse.left >= 0


def test_no_better_than_a_random_remedy_is_no_cure() -> None:
    proof, _ = run(lambda who, seed, steps: outcome(0.1 if who == "nothing" else 0.9 + 0.01 * (seed % 2)))
    assert proof.gain.above_zero
    assert not proof.cured


def test_no_better_than_no_treatment_is_no_cure_and_given_up_soon() -> None:
    proof, made = run(lambda who, seed, steps: outcome({"winner": 0.5, "nothing": 0.6, "random": 0.1}[who]))
    assert proof.hopeless
    assert not proof.cured
    assert len({seed for _, seed in made.known}) == SEEDS


def test_undecided_it_goes_on_for_longer_until_the_purse_is_empty() -> None:
    proof, made = run(lambda who, seed, steps: outcome(0.1 + 0.3 * (who == "winner" and steps > 300)))
    assert proof.cured
    assert max(made.known.values()) > 300
    short, made = run(lambda who, seed, steps: outcome(0.1 + 0.3 * (who == "winner" and steps > 300)), most=2500)
    assert not short.cured
    assert sum(made.purse.spent.values()) <= 2500


def test_scattered_gains_get_more_seeds() -> None:
    proof, made = run(lambda who, seed, steps: outcome(0.1 + (who == "winner") * (0.15 + 0.5 * (seed % 2))), most=1e4)
    assert proof.cured
    assert SEEDS < len({seed for _, seed in made.known}) <= MORE


def test_a_head_start_is_no_cure_unless_the_whole_budget_was_trained() -> None:
    def learning(who: str, seed: int, steps: int) -> Outcome:
        made = outcome({"winner": 0.9, "nothing": 0.7, "random": 0.1}[who])
        return replace(made, before=0.1) if who == "nothing" else made

    proof, _ = run(learning, most=1e4)
    assert proof.head_start
    assert not proof.cured
    whole, _ = run(learning, budget=50)
    assert whole.cured


def test_scores_are_the_metric_and_what_ended_gets_the_worst() -> None:
    values, by_metric = scores([[outcome(0.9), outcome(None, ended="diverged")], [outcome(0.2), outcome(0.4)]])
    assert (values, by_metric) == ([[0.9, 0.2], [0.2, 0.4]], True)


@pytest.mark.parametrize("metric", [None, 0.5])
def test_without_a_metric_that_says_anything_scores_are_the_losses(metric: float | None) -> None:
    ended = Outcome(2, (5.0, float("nan")), metric, "diverged")
    values, by_metric = scores([[outcome(metric, 1.0), outcome(metric, 2.0)], [outcome(metric, 3.0), ended]])
    assert (values, by_metric) == ([[-1.0, -2.0], [-3.0, -5.0]], False)
