"""Symptoms that look alike, told apart by their origin: each GIVEN a record with one thing wrong."""

from dataclasses import replace

import pytest

from gradclinic.diagnose import diagnose

from . import handmade as hand


def first(report):
    return (report.findings[0].condition, report.findings[0].cause) if report.findings else (None, None)


def test_a_schedule_that_ends_the_training_early():
    record = hand.record(hand.flat(200), moved=1e-3)
    steps = tuple(replace(step, lr=(0.1 * 0.5**step.step,)) for step in record.steps)
    report = diagnose(replace(record, steps=steps))
    assert first(report) == ("stalled_update", "learning_rate_low")
    assert report.findings[0].evidence["steps_at_full_rate"] == pytest.approx(2.0)


@pytest.mark.parametrize("rate", [lambda step: 0.1, lambda step: 0.1 * (1 - step / 200), lambda step: 0.1 * 0.99**step])
def test_an_ordinary_schedule_is_not_blamed(rate):
    record = hand.record(hand.flat(200), moved=1e-3)
    steps = tuple(replace(step, lr=(rate(step.step),)) for step in record.steps)
    assert first(diagnose(replace(record, steps=steps)))[1] != "learning_rate_low"


def frozen(which, losses):
    record = hand.record(losses, depth=4)
    parameters = tuple(replace(p, requires_grad=p.index not in which) for p in record.parameters)
    return diagnose(replace(record, parameters=parameters))


def test_a_frozen_head_under_little_that_is_trained():
    report = frozen({1, 2, 3}, hand.flat())
    assert first(report) == ("disconnected_parameter", "frozen_parameter")
    assert report.findings[0].where[0] == "layers.3"


@pytest.mark.parametrize(
    ("which", "losses"), [({0, 1, 2}, hand.flat()), ({1, 2, 3}, hand.falling(200)), ({3}, hand.flat())]
)
def test_frozen_features_or_a_fixed_head_or_a_run_that_learns_are_not_blamed(which, losses):
    assert first(frozen(which, losses))[1] != "frozen_parameter"


def vanishing_with(input_rms, saturated):
    book = hand.ledger(
        8, activation="Tanh", slope=-0.4, sigma=1.0, weight=0.0, input_rms=input_rms, objective=hand.cross_entropy(),
        activities=[hand.activity(1, op="Tanh", saturated=saturated)],
    )  # fmt: skip
    return diagnose(hand.record(hand.flat(), depth=8, book=book, moved=1e-9))


def test_inputs_that_saturate_the_first_layer_come_before_its_weights():
    assert first(vanishing_with(200.0, 0.99)) == ("vanishing_gradient", "input_scale")


@pytest.mark.parametrize(("input_rms", "saturated"), [(1.0, 0.99), (200.0, 0.1)])
def test_ordinary_inputs_or_open_units_are_not_blamed(input_rms, saturated):
    assert first(vanishing_with(input_rms, saturated))[1] != "input_scale"


def dead_at(layer):
    book = hand.ledger(4, objective=hand.cross_entropy(), activities=[hand.activity(layer, dead=1.0)])
    sequence = max(e.sequence for e in book.entries if e.kind == "weight") + (1 if layer == 4 else -100)
    activity = replace(book.activities[0], sequence=sequence, zero_fraction=1.0)
    return diagnose(hand.record(hand.flat(), norms=[0.0] * 4, book=replace(book, activities=(activity,))))


def test_a_dead_output_is_told_from_a_dead_layer():
    assert first(dead_at(4)) == ("zero_gradient", "output_activation")
    assert first(dead_at(1))[1] != "output_activation"
