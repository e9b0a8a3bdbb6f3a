from __future__ import annotations

import pytest

from gradclinic.cure.searching.plan import FINALISTS, plan, whole_trials
from gradclinic.errors import UserError


def test_half_of_the_budget_is_for_the_trials_and_half_confirms() -> None:
    part = plan(30, 3, 3000, 10.0)
    assert whole_trials(30) * part.trial == pytest.approx(15_000, rel=0.01)
    assert (FINALISTS + 1 + 2) * 3 * part.final == pytest.approx(15_000, rel=0.01)
    assert part.limit == 15_000


def test_a_trial_is_looked_at_after_a_ninth_and_a_third() -> None:
    part = plan(10, 3, 900, 1000.0)
    assert (part.trial, part.final, part.stages) == (900, 900, [100, 300, 900])


def test_the_shortest_trial_still_says_something() -> None:
    assert plan(100, 3, 40, None).stages == [8, 16]


@pytest.mark.parametrize(("steps", "budget", "said"), [(12, None, "16 at least"), (100, 0.5, "give --budget")])
def test_too_few_steps_are_refused(steps: int, budget: float | None, said: str) -> None:
    with pytest.raises(UserError, match=said):
        plan(30, 3, steps, budget)


def test_the_budget_that_is_advised_suffices() -> None:
    with pytest.raises(UserError) as caught:
        plan(30, 3, 100, 0.5)
    advised = float(str(caught.value).split("--budget ")[1].split()[0])
    assert min(plan(30, 3, 100, advised).trial, plan(30, 3, 100, advised).final) >= 16


def test_the_first_trials_are_whole_ones_and_so_are_those_beside_them() -> None:
    # By hand: 5 and 0.6 of the 25 others; all 4; two batches of 4 and 0.6 of the 2 others.
    assert (whole_trials(30), whole_trials(4), whole_trials(10, 4)) == pytest.approx((20, 4, 9.2))
