"""A policy pushed away from its reward, and a likelihood that is minimised."""

from __future__ import annotations

from typing import Any

import pytest

from gradclinic.schema.record import Event, OptimizerInfo

from . import handmade as hand
from .verdicts import pair, quiet

AWAY = [-2.3 - 0.5 * step for step in range(100)]


def moved(**changes: Any) -> Event:
    one = {"sign": 1, "known": True, "names": [], "steady": True}
    return Event(0, "probabilities", {"moved": [one | changes]})


@pytest.mark.parametrize(("name", "sign"), [("reward", 1), ("advantages", 1), ("R", 1), ("cost", -1)])
def test_a_policy_that_is_pushed_the_wrong_way(name: str, sign: int):
    event = moved(known=False, names=[[name, sign]], steady=False)
    assert pair(hand.record(hand.falling(), events=[event])) == ("wrong_objective", "gradient_ascent")
    quiet(hand.record(hand.falling(), events=[moved(known=False, names=[[name, -sign]], steady=False)]))


@pytest.mark.parametrize("names", [[], [["weight", 1]], [["reward", 1], ["returns", -1]], [["cost", 1]]])
def test_a_weight_that_is_no_reward_says_nothing(names: list[Any]):
    quiet(hand.record(hand.falling(), events=[moved(known=False, names=names, steady=False)]))


def test_a_likelihood_that_is_minimised_runs_away():
    assert pair(hand.record(AWAY, book=hand.ledger(4), events=[moved()])) == ("wrong_objective", "gradient_ascent")


@pytest.mark.parametrize("other", [{"sign": -1}, {"known": False}, {"steady": False}])
def test_a_density_may_be_large_and_an_action_drawn(other: dict[str, Any]):
    quiet(hand.record(AWAY, book=hand.ledger(4), events=[moved(**other)]))


def test_a_fall_that_stays_above_zero_and_a_maximiser_are_no_ascent():
    quiet(hand.record(hand.falling(), events=[moved()]))
    quiet(hand.record(AWAY, book=hand.ledger(4), events=[moved()], settings={"maximize": True}))


def test_an_adversary_may_make_data_unlikely():
    two = [OptimizerInfo(i, "Adam", ({"lr": 0.1},)) for i in range(2)]
    quiet(hand.record(AWAY, book=hand.ledger(4), events=[moved()], optimizers=two))
