"""Steps that are too large or too small.

Each condition and cause on the smallest record that has it, and on its nearest healthy neighbour.
"""

from __future__ import annotations

from dataclasses import replace
from math import sqrt

import numpy as np
import pytest

from gradclinic.diagnose.conditions import loss_spike
from gradclinic.diagnose.evidence import Evidence
from gradclinic.schema.finding import Finding
from gradclinic.schema.ledger import Objective
from gradclinic.schema.record import Event, Record

from . import handmade as hand
from .verdicts import first, pair, quiet

THROWN = [2.3, 40.0, 90.0, 200.0, *np.linspace(200, 400, 96)]


def test_steps_as_large_as_the_weights_diverge():
    found = first(hand.record(THROWN, moved=2.0, lr=3.0))
    assert (found.condition, found.cause, found.step) == ("divergence", "learning_rate_high", 1)
    assert "from 3 to 0.3" in found.action


def test_unscaled_inputs_are_named_before_the_learning_rate():
    book = hand.ledger(4, input_rms=120.0, objective=hand.cross_entropy())
    assert pair(hand.record(THROWN, moved=2.0, book=book)) == ("divergence", "input_scale")
    # An optimizer that divides by the gradient's size takes steps that do not depend on it.
    assert pair(hand.record(THROWN, moved=2.0, book=book, optimizer="Adam")) == ("divergence", "learning_rate_high")


def test_a_summed_loss_is_named_before_the_learning_rate():
    objective = hand.cross_entropy(constant_loss=hand.BATCH * (hand.LOG_CLASSES - 0.035))
    losses = [hand.BATCH * value for value in THROWN]
    book = hand.ledger(4, objective=objective)
    assert pair(hand.record(losses, moved=2.0, book=book)) == ("divergence", "loss_reduction")
    assert pair(hand.record(losses, moved=2.0, book=book, optimizer="Adam")) == ("divergence", "learning_rate_high")


def test_unscaled_targets_are_named():
    objective = Objective("MseLoss", (128, 1), (128, 1), 1e8, prediction_rms=0.1, target_rms=1e4, target_mean=0.0)
    losses = [1e8, 1e10, 1e12, *np.linspace(1e12, 1e14, 97)]
    assert pair(hand.record(losses, moved=2.0, book=hand.ledger(4, objective=objective))) == (
        "divergence",
        "target_scale",
    )


def test_an_initialisation_that_explodes_is_named_before_the_learning_rate():
    found = first(
        hand.record(THROWN, moved=2.0, depth=12, book=hand.ledger(12, sigma=5.0, objective=hand.cross_entropy()))
    )
    assert (found.condition, found.cause) == ("exploding_gradient", "weight_scale_large")
    later = {c["condition"]: c["cause"] for c in found.evidence["consequences"]}
    assert later["divergence"] == "weight_scale_large"


def test_units_that_die_after_violent_steps_are_a_consequence():
    alive = hand.ledger(4, objective=hand.cross_entropy(), activities=[hand.activity(1)])
    dead = hand.ledger(4, objective=hand.cross_entropy(), activities=[hand.activity(1, dead=1.0)])
    book = [(0, alive), (1, alive), (2, dead), (5, dead), (10, dead)]
    found = first(hand.record([2.3, 40.0, 9.0, *hand.flat(150)], moved=2.0, book=book))
    assert found.cause == "learning_rate_high"
    died = next(c for c in found.evidence["consequences"] if c["condition"] == "dead_units")
    assert died["step"] == 2


def spiked(*, large_at: int) -> Record:
    """A loss that settles at 1 and jumps to 9 at step 100; the gradient is 50 times its size at ``large_at``."""
    losses = [*hand.falling(100, end=1.0), *hand.flat(100, 9.0)]
    norms = lambda step: [25.0 if step == large_at else 0.5] * 4  # noqa: E731
    return hand.record(losses, norms=norms, book=hand.ledger(4))


@pytest.mark.parametrize(("large_at", "cause"), [(99, "learning_rate_high"), (100, "input_scale")])
def test_what_came_first_tells_a_long_step_from_a_strange_batch(large_at: int, cause: str):
    found = loss_spike.CONDITION.check(Evidence(spiked(large_at=large_at)))
    assert isinstance(found, Finding)
    assert (found.step, found.cause) == (100, cause)
    assert found.evidence["loss_before"] == pytest.approx(1.0, rel=0.2)


def test_a_spike_that_heals_is_no_finding():
    losses = [*hand.falling(100, end=0.5), 50.0, 20.0, *hand.falling(100, end=0.2)[50:]]
    quiet(hand.record(losses))


def test_an_error_with_a_negative_gradient_is_climbed():
    def objective(value: float, sign: float) -> Objective:
        return Objective("Sub Pow", (64, 1), (64, 1), 1.0, value=value, alone=True, sign=sign)

    def climbing(sign: float) -> Record:
        book = [(t, hand.ledger(4, objective=objective(1.0 + t, sign))) for t in (0, 1, 2, 5)]
        return hand.record(list(-np.linspace(1, 50, 100)), book=book)

    assert pair(climbing(-1.0)) == ("wrong_objective", "gradient_ascent")
    quiet(climbing(1.0))


def test_a_full_batch_loss_on_an_orbit_oscillates():
    orbit = [2.6 if step % 2 else 2.0 for step in range(200)]
    assert pair(hand.record(orbit, ledgers=())) == ("oscillation", "learning_rate_high")


def test_a_learning_rate_that_is_too_low():
    found = first(hand.record(hand.flat(), lr=1e-7, moved=1e-9))
    assert (found.condition, found.cause) == ("stalled_update", "learning_rate_low")
    assert found.evidence["travel_largest"] == pytest.approx(2e-7)


def test_weights_that_moved_enough_are_not_stalled():
    assert pair(hand.record(hand.flat(), moved=1e-3))[0] == "plateau"


def test_updates_rounded_away_in_bfloat16_and_only_there():
    changes = {"updates": hand.updates(4, 1e-6, unchanged=0.99)}
    assert pair(hand.record(hand.flat(), dtype="bfloat16", **changes)) == ("stalled_update", "precision_rounding")
    assert pair(hand.record(hand.flat(), dtype="float32", **changes)) == ("stalled_update", "learning_rate_low")


def test_gradients_below_eps():
    record = hand.record(hand.flat(), optimizer="Adam", settings={"eps": 1e-3}, norms=[1e-3] * 4, moved=1e-6)
    assert pair(record) == ("stalled_update", "optimizer_epsilon")


def test_weights_that_only_decay():
    shrinking = hand.updates(4, 0.05, weight=lambda tick: 6.4 * np.exp(-tick / 20))
    record = hand.record(hand.flat(), settings={"weight_decay": 0.5}, updates=shrinking)
    assert pair(record) == ("stalled_update", "weight_decay_high")
    assert quiet(hand.record(hand.falling(), settings={"weight_decay": 0.5}, updates=shrinking)).findings == ()
    # A gradient that vanishes because the weights shrank is a consequence.
    books = [hand.ledger(12, sigma=sigma, objective=hand.cross_entropy()) for sigma in (1.4, 0.1, 0.01)]
    starved = hand.record(
        hand.flat(),
        depth=12,
        settings={"weight_decay": 0.5},
        book=list(zip((0, 50, 100), books, strict=True)),
        updates=hand.updates(12, 1e-5, weight=lambda tick: 6.4 * np.exp(-tick / 20)),
    )
    assert pair(starved) == ("stalled_update", "weight_decay_high")
    # A run that learns, but took less than half of the way, is held back by it.
    poor = hand.record(hand.falling(end=1.6), settings={"weight_decay": 0.5}, updates=shrinking)
    assert pair(poor) == ("stalled_update", "weight_decay_high")


def test_an_attention_that_has_chosen_before_it_learned():
    def attends(squares):
        book = hand.ledger(4, objective=hand.cross_entropy())
        chosen = replace(
            book.entries[1], op="Softmax", kind="other", module="attention", shape=(128, 16),
            forward_out=sqrt(squares / 16), sequence=book.entries[0].sequence,
        )  # fmt: skip
        return replace(book, entries=(*book.entries, chosen))

    poor = hand.falling(end=1.6)
    found = first(hand.record(poor, book=attends(0.9)))
    assert (found.condition, found.cause) == ("saturated_units", "saturating_activation")
    assert found.where == ("attention",)
    assert found.evidence["mean_sum_p_squared"] == pytest.approx(0.9)
    assert quiet(hand.record(poor, book=attends(0.2))).findings == ()
    assert quiet(hand.record(book=attends(0.9))).findings == ()  # it does well all the same


@pytest.mark.parametrize(("share", "cause"), [(0.9, "precision_underflow"), (0.1, "learning_rate_high")])
def test_steps_divided_by_a_memory_that_is_0(share: float, cause: str):
    memory = Event(3, "coarse_state", {"optimizer": 0, "state": "v", "dtype": "float16", "zero_share": share})
    assert first(hand.record([2.3, 40.0, 90.0, *[400.0] * 97], moved=2.0, events=[memory])).cause == cause
    quiet(hand.record(events=[memory]))
