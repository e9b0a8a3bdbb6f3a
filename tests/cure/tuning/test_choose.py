from __future__ import annotations

from math import inf

import pytest

from gradclinic.cure.trials import Outcome
from gradclinic.cure.tuning.choose import choose, metric_decides


def ended(metric: float | None, loss: float = 1.0, why: str = "") -> Outcome:
    return Outcome(10, (loss,) * 10, metric, why)


def by_metric(**values: list[float]) -> dict[float, list[Outcome]]:
    return {float(lr.replace("_", "-").removeprefix("r")): [ended(v) for v in vs] for lr, vs in values.items()}


def test_a_clear_winner_is_chosen_alone() -> None:
    trained = by_metric(r1e_3=[0.5, 0.6, 0.5], r1e_2=[0.9, 0.95, 0.92], r1e_1=[0.3, 0.2, 0.3])
    choice = choose(trained, sorted(trained))
    assert choice is not None
    assert (choice.lr, choice.plateau, choice.by_metric, choice.at_edge) == (1e-2, (1e-2,), True, False)
    # By hand: mean 2.77 / 3; t for two degrees of freedom is 4.303.
    assert choice.interval.mean == pytest.approx(2.77 / 3)
    assert choice.interval.high - choice.interval.mean == pytest.approx(4.303 * 0.025166 / 3**0.5, rel=1e-3)


def test_of_equals_the_middle_one() -> None:
    equal = {f"r1e_{k}": [0.9, 0.8, 0.85] for k in (2, 3, 4)}
    trained = by_metric(**equal, r1e_1=[0.1, 0.1, 0.1])
    choice = choose(trained, sorted(trained))
    assert choice is not None
    assert choice.plateau == (1e-4, 1e-3, 1e-2)
    assert choice.lr == 1e-3


def test_a_plateau_ends_at_a_gap() -> None:
    trained = by_metric(r1e_4=[0.9, 0.8], r1e_3=[0.1, 0.2], r1e_2=[0.9, 0.8], r1e_1=[0.1, 0.1])
    choice = choose(trained, sorted(trained))
    assert choice is not None
    assert len(choice.plateau) == 1


def test_a_rate_that_diverged_on_one_seed_is_never_chosen() -> None:
    trained = by_metric(r1e_3=[0.5, 0.5], r1e_2=[0.5, 0.5])
    trained[1e-2] = [ended(0.99), ended(0.99, why="diverged")]
    choice = choose(trained, sorted(trained))
    assert choice is not None
    assert (choice.lr, choice.at_edge) == (1e-3, True)


def test_none_where_all_ended() -> None:
    trained = {lr: [ended(0.5), ended(None, inf, "diverged")] for lr in (0.1, 1.0)}
    assert choose(trained, [0.1, 1.0]) is None


def test_the_loss_decides_where_there_is_no_metric_or_it_never_moves() -> None:
    assert not metric_decides([ended(None), ended(0.4)])
    assert not metric_decides([ended(0.4), ended(0.4)])
    assert metric_decides([ended(0.4), ended(0.5), ended(None, why="diverged")])
    trained = {lr: [ended(0.4, loss)] * 2 for lr, loss in ((0.1, 2.0), (0.2, 1.0), (0.3, 3.0))}
    choice = choose(trained, sorted(trained))
    assert choice is not None
    assert (choice.lr, choice.by_metric, choice.interval.mean) == (0.2, False, -1.0)


@pytest.mark.parametrize(("other", "as_good"), [([0.90, 0.80, 0.86], True), ([0.89, 0.79, 0.85], False)])
def test_as_good_is_within_one_standard_error_of_the_paired_difference(other: list[float], as_good: bool) -> None:
    # By hand: leads of 0.01, 0.02, -0.02 have mean 0.0033 and standard error 0.0120; 0.02, 0.03, -0.01: 0.0133, 0.0120.
    trained = by_metric(r1e_2=[0.91, 0.82, 0.84], r1e_1=other)
    choice = choose(trained, sorted(trained))
    assert choice is not None
    assert (len(choice.plateau) == 2) is as_good
