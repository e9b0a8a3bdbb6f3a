"""The rounds, with trials whose outcome is a formula."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import log10
from typing import Any

import pytest

from gradclinic.cure.trials import Case, Outcome
from gradclinic.cure.tuning.halving import Plan
from gradclinic.cure.tuning.rounds import WIDER, Round, run_rounds


class Made:
    """A ward whose metric falls with the decades from the best rate."""

    def __init__(self, best: float) -> None:
        self.best, self.asked = best, list[tuple[float, int, int]]()

    def train(self, cases: Sequence[Case], steps: int, what: str, tell: Callable[[Case], None]) -> list[Outcome]:
        found = []
        for recipe, seed in cases:
            tell((recipe, seed))
            lr = float(recipe.changes[0].options["lr"])
            self.asked.append((lr, seed, steps))
            found.append(Outcome(steps, (1.0,) * steps, -abs(log10(lr / self.best))))
        return found

    def free(self) -> None:
        pass


def run(best: float, rates: list[float], *, wider: bool) -> tuple[list[Round], list[tuple[float, int, int]]]:
    ward: Any = Made(best)
    rounds: list[Round] = []
    plan = [Plan(len(rates), 10), Plan(2, 40)]
    run_rounds(rounds, rates, [ward, ward], plan, 5, lambda what, share: None, wider=wider)
    return rounds, ward.asked


def test_the_better_rates_go_on_for_longer_on_fresh_seeds() -> None:
    rounds, asked = run(1.5e-2, [1e-4, 1e-3, 1e-2, 1e-1], wider=True)
    assert [sorted(part.trained) for part in rounds] == [[1e-4, 1e-3, 1e-2, 1e-1], [1e-2, 1e-1]]
    assert {seed for _, seed, steps in asked if steps == 10} == {5, 6}
    assert {seed for _, seed, steps in asked if steps == 40} == {7, 8}


@pytest.mark.parametrize(("best", "new"), [(1.0, [1.0, 10.0]), (1e-6, [1e-7, 1e-6, 1e-5])])
def test_the_grid_grows_until_the_best_lies_inside(best: float, new: list[float]) -> None:
    rates = [1e-4, 1e-3, 1e-2, 1e-1]
    rounds, _ = run(best, rates, wider=True)
    assert rates == pytest.approx(sorted([1e-4, 1e-3, 1e-2, 1e-1, *new]))
    assert best in rounds[-1].trained


def test_it_grows_only_so_far_and_not_at_all_where_the_user_gave_a_range() -> None:
    rates = [1e-4, 1e-3, 1e-2, 1e-1]
    run(1e9, rates, wider=True)
    assert len(rates) == 4 + WIDER
    fixed = [1e-4, 1e-3, 1e-2, 1e-1]
    run(1e9, fixed, wider=False)
    assert len(fixed) == 4
