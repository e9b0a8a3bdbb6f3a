from __future__ import annotations

from math import inf, isclose

import pytest

from gradclinic.cure import Recipe
from gradclinic.cure.screening import Screened
from gradclinic.cure.tuning.grid import Span, around, inside, rates_of
from gradclinic.cure.tuning.halving import plan
from gradclinic.cure.tuning.range_test import Curve
from gradclinic.errors import UserError
from gradclinic.measure.range_test import Suggestions


def test_the_last_round_costs_half_and_the_others_share_the_rest() -> None:
    parts = plan(9, 3, 2000, 3.0)
    assert [part.rates for part in parts] == [9, 5, 3]
    costs = [part.rates * part.steps * 3 for part in parts]
    assert all(isclose(cost, wanted, rel_tol=0.02) for cost, wanted in zip(costs, (1500, 1500, 3000), strict=True))


def test_three_rates_are_compared_once_and_for_all_of_the_budget() -> None:
    (only,) = plan(3, 2, 300, 1.0)
    assert only.steps == 50


def test_together_all_rates_get_equally_much_of_all_of_it() -> None:
    (only,) = plan(9, 3, 2000, 3.0, together=True)
    assert (only.rates, only.steps) == (9, 222)


def test_no_round_is_longer_than_the_training() -> None:
    assert max(part.steps for part in plan(9, 3, 400, 1000.0)) == 400


def test_without_a_budget_the_shortest_trial_still_says_something() -> None:
    assert plan(9, 3, 40, None)[0].steps == 8


@pytest.mark.parametrize(("steps", "budget", "said"), [(12, None, "16 at least"), (100, 0.5, "give --budget 8.7")])
def test_too_few_steps_are_refused_with_what_would_do(steps: int, budget: float | None, said: str) -> None:
    with pytest.raises(UserError, match=said):
        plan(9, 3, steps, budget)


def test_the_budget_that_is_advised_suffices() -> None:
    assert plan(9, 3, 100, 8.7)[0].steps >= 8


def test_the_range_test_covers_the_window_and_more_above() -> None:
    span = around(Screened(Recipe(), 0.1, 1e-4, 1e-1), 0.1)
    assert (span.low, span.high) == pytest.approx((1e-4, 1e2))


@pytest.mark.parametrize("window", [Screened(Recipe(), why="no"), Screened(Recipe(), 0.1, inf, 0.0)])
def test_without_a_window_it_covers_what_surrounds_the_users_rate(window: Screened) -> None:
    span = around(window, 0.01)
    assert (span.low, span.high) == pytest.approx((1e-6, 1e2))


def test_the_grid_ends_where_the_loss_stopped_to_fall_or_ran_away() -> None:
    window = Screened(Recipe(), 0.1, 1e-9, 1.0)
    rates = tuple(10.0**place for place in range(-6, 2))
    curve = Curve(rates, (1.0,) * 8, diverged=True)
    assert inside(curve, window, Suggestions(minimum=1e-3)).high == pytest.approx(1e-2)
    assert inside(curve, window, Suggestions()).high == pytest.approx(rates[-3])
    assert inside(curve, window, Suggestions(minimum=10.0)).high == pytest.approx(rates[-3])
    assert inside(curve, window, Suggestions(minimum=1e-3)).low == pytest.approx(1e-5)
    assert inside(curve, Screened(Recipe(), 0.1, 5e-4, 1.0), Suggestions(minimum=1e-3)).low == 5e-4


def test_a_grid_has_equal_ratios_and_the_users_own_rate() -> None:
    assert rates_of(Span(1e-4, 1.0), 5, 5.0) == pytest.approx([1e-4, 1e-3, 1e-2, 1e-1, 1.0])
    assert 0.03 in rates_of(Span(1e-4, 1.0), 5, 0.03)
    assert len(rates_of(Span(1e-4, 1.0), 5, 0.0101)) == 5
