"""What inputs and targets show of themselves: each fault, and its nearest healthy neighbour."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gradclinic.schema.ledger import Objective
from gradclinic.schema.record import Event

from . import handmade as hand
from .verdicts import pair, quiet

#: Learns, and takes less than half of the way.
POOR = hand.falling(end=1.6)


def given(**facts) -> Event:
    usual = {"given": True, "dtype": "float32", "shape": [128, 4], "rms": 1.0, "least": -3.0, "largest": 3.0}
    return Event(0, "model_input", usual | {"whole": False, "offset": 0.1, "spreads": [1.0, 1.0, 1.0]} | facts)


def examined(change: str, losses: list[float]) -> list[Event]:
    usual = {"what": "changed", "where": [], "loss": 2.3, "first": 1.0, "last": 1.0, "gradient": 1.0, "decades": 0.0}
    plain = {"change": "", "losses": [2.3, 2.29, 2.28], "pace": 1e-3, "of": 0}
    rows = [usual | plain, usual | plain | {"change": change, "losses": losses}]
    return [Event(100, "intervention", row) for row in rows]


@pytest.mark.parametrize("losses", [POOR, hand.flat()])
def test_indices_that_bfloat16_rounds(losses):
    hours = {"dtype": "bfloat16", "whole": True, "least": 0.0, "rms": 1500.0}
    assert pair(hand.record(losses, events=[given(**hours, largest=2688.0)])) == ("plateau", "precision_rounding")
    for other in ({"largest": 256.0}, {"largest": 2688.0, "whole": False}, {"largest": 2688.0, "dtype": "float32"}):
        record = hand.record(POOR, events=[given(**(hours | other | {"rms": 1.0}))])
        assert quiet(record).findings == ()
    quiet(hand.record(hand.falling(), events=[given(**hours, largest=2688.0)]))


def test_float16_has_whole_numbers_up_to_2048():
    whole = {"dtype": "float16", "whole": True, "least": 0.0}
    assert pair(hand.record(POOR, events=[given(**whole, largest=2050.0)]))[1] == "precision_rounding"
    quiet(hand.record(POOR, events=[given(**whole, largest=2048.0)]))


def test_raw_inputs_of_a_run_that_learns_little():
    raw = given(rms=120.0)
    assert pair(hand.record(POOR, events=[raw])) == ("plateau", "input_scale")
    quiet(hand.record(hand.falling(), events=[raw]))
    quiet(hand.record(POOR, events=[given(rms=5.0)]))
    quiet(hand.record(POOR, events=[given(rms=120.0, given=False)]))
    # The test on a copy decides where there was one.
    assert pair(hand.record(POOR, events=[raw, *examined("input_scale", [2.3, 2.0, 1.6])]))[1] == "input_scale"
    quiet(hand.record(POOR, events=[raw, *examined("input_scale", [2.3, 2.3, 2.3])]))


def test_inputs_far_from_a_mean_of_zero_only_where_a_test_says_so():
    aside = given(rms=5.0, offset=50.0)
    quiet(hand.record(POOR, events=[aside]))
    assert pair(hand.record(POOR, events=[aside, *examined("input_scale", [2.3, 2.0, 1.6])])) == (
        "plateau",
        "input_scale",
    )


def test_a_normalisation_before_the_first_weight_takes_care_of_raw_inputs():
    book = hand.ledger(4, objective=hand.cross_entropy())
    norm = replace(book.entries[0], sequence=-5, op="NativeBatchNorm", kind="normalization")
    quiet(hand.record(POOR, events=[given(rms=120.0)], book=replace(book, entries=(norm, *book.entries))))


def distance(first: float, target: float, constant: float) -> Objective:
    return Objective(
        "SmoothL1Loss", (128,), (128,), constant, prediction_rms=first, target_rms=target, target_mean=0.8 * target
    )


def far(prediction: float, target: float = 1e5, **changes):
    book = hand.ledger(12, sigma=0.4, objective=distance(prediction, target, 0.5 * target))
    losses = hand.flat(value=0.8 * target, sigma=10.0)
    return hand.record(losses, depth=12, book=book, optimizer="RMSprop", moved=0.1, **changes)


def test_targets_that_the_steps_cannot_reach_come_before_what_depth_takes():
    assert pair(far(0.1)) == ("plateau", "target_scale")
    assert pair(far(0.1, events=examined("target_scale", [0.5, 0.4, 0.2])))[1] == "target_scale"
    # Predictions that have arrived, targets of an ordinary size, or a test that says no: it is something else.
    assert pair(far(5e4))[1] != "target_scale"
    assert pair(far(0.1, events=examined("target_scale", [2.3, 2.3, 2.3])))[1] != "target_scale"


def several(small: float, error: float, large_error: float = 100.0, ticks=(0, 50, 80, 100, 150)):
    outputs = ((1e4, large_error), (small, error))
    objective = replace(distance(1.0, 100.0, 5e3), op="MseLoss", prediction_shape=(64, 2), target_shape=(64, 2))
    book = hand.ledger(4, objective=replace(objective, outputs=outputs))
    return hand.record(hand.falling(start=1e4, end=50.0), book=[(tick, book) for tick in ticks])


def test_an_output_that_the_loss_hardly_knows():
    assert pair(several(0.01, 0.05)) == ("plateau", "target_scale")
    quiet(several(0.01, 0.012))  # it cannot be predicted, or not yet
    quiet(several(2e3, 1e4))  # of a like size
    quiet(several(0.0, 0.05))  # a constant column
    quiet(several(0.01, 0.05, ticks=(0, 1, 2, 5, 10)))  # nobody looked later
    quiet(several(0.01, 0.05, large_error=9e3))  # the large one is not learned either
