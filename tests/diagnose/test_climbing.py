"""A policy pushed away from its reward, and a likelihood that is minimised."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gradclinic.schema.ledger import Entry
from gradclinic.schema.record import Event, OptimizerInfo, Record

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


def test_a_softmax_of_distances_picks_the_farthest():
    event = Event(0, "turned_similarity", {"what": "distance", "module": ""})
    assert pair(hand.record(hand.falling(), events=[event])) == ("wrong_objective", "gradient_ascent")


def raised(op: str, sign: float) -> Record:
    objective = hand.cross_entropy(op=op, sign=sign, constant_loss=None)
    losses = [2.3 + 0.05 * step for step in range(100)]
    return hand.record(losses, book=hand.ledger(4, objective=objective), settings={"maximize": True})


def test_what_an_optimizer_maximises_may_be_there_to_be_raised():
    assert pair(raised("NllLoss", 1.0)) == ("wrong_objective", "gradient_ascent")
    quiet(raised("NllLoss", -1.0))
    uphill = Event(1, "uphill_step", {"cosine": 0.75})
    quiet(replace(raised("LogSoftmax", 1.0), events=(uphill,)))


def actor(word: str, turned: bool = False) -> Record:
    """Two optimizers in turn: a critic's squared error, and the mean of what the critic makes of an actor's output."""
    error = hand.ledger(4, objective=hand.cross_entropy(op="MseLoss", classes=None, sign=1.0))
    plain = hand.ledger(4)
    last = max(entry.sequence for entry in plain.entries)
    after = [Entry(last + 1, "Mean", "loss", "", ())] + [Entry(last + 2, "Neg", "loss", "", ())] * turned
    chain = replace(plain, entries=(*plain.entries, *after))
    rows = [(tick, chain if tick % 2 else error) for tick in range(6)]
    steps = tuple(replace(s, optimizer=s.tick % 2, step=s.tick // 2) for s in hand.steps(hand.falling(), [0.5] * 4))
    owners = tuple(replace(p, optimizer=1 if p.index < 2 else 0) for p in hand.parameters(4))
    two = tuple(OptimizerInfo(i, "Adam", ({"lr": 0.1},)) for i in range(2))
    event = Event(0, "script_words", {"words": [word]})
    return hand.record(book=rows, steps=steps, parameters=owners, optimizers=two, events=[event])


def test_an_actor_that_minimises_its_critic():
    assert pair(actor("reward")) == ("wrong_objective", "gradient_ascent")
    for record in (actor("reward", turned=True), actor("cost"), actor("x")):
        quiet(record)
