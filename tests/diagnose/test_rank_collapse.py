"""GIVEN weights or representations that are the same, WHEN diagnosed, THEN the origin is named, and only then."""

from dataclasses import replace

import numpy as np
import pytest

from gradclinic.diagnose import diagnose

from . import handmade as hand


def with_same_units(record, flags):
    rows = tuple(replace(row, same_units=np.array(flags[i % len(flags)])) for i, row in enumerate(record.updates))
    return replace(record, updates=rows)


def test_equal_units_from_first_to_last_are_sick_even_if_the_loss_falls():
    record = with_same_units(hand.record(hand.falling(200, end=0.5)), [[0.0, 1.0, 1.0, 0.0]])
    report = diagnose(record)
    assert report.verdict == "sick"
    assert (report.findings[0].condition, report.findings[0].cause) == ("rank_collapse", "symmetric_init")
    assert report.findings[0].where == ("layers.1", "layers.2")


@pytest.mark.parametrize("flags", [[[0.0] * 4], [[1.0] * 4, [0.0] * 4], [[np.nan] * 4]])
def test_units_that_part_are_no_finding(flags):
    report = diagnose(with_same_units(hand.record(hand.falling(200, end=0.5)), flags))
    assert report.verdict == "healthy"


def with_totals(totals, losses):
    """Gradients of the same norm, whose sums are ``totals`` at every step."""
    record = hand.record(losses)
    tables = [step.gradients.copy() for step in record.steps]
    for table in tables:
        table["total"] = totals
    steps = tuple(replace(step, gradients=table) for step, table in zip(record.steps, tables, strict=True))
    return diagnose(replace(record, steps=steps))


def test_copies_of_a_layer_get_the_same_gradient_to_the_bit():
    report = with_totals([0.1, 0.25, 0.25, 0.3], hand.falling(200, end=0.5))
    found = report.findings[0]
    assert (found.condition, found.cause, found.where) == ("rank_collapse", "symmetric_init", ("layers.1", "layers.2"))


@pytest.mark.parametrize("totals", [[0.1, 0.2, 0.3, 0.4], [0.0] * 4])
def test_gradients_that_differ_or_say_nothing_are_no_copies(totals):
    assert with_totals(totals, hand.falling(200, end=0.5)).verdict == "healthy"


def collapsed(cosines, losses):
    activities = [replace(hand.activity(i), correlation=value) for i, value in enumerate(cosines)]
    book = hand.ledger(4, sigma=1.0, slope=0.0, objective=hand.cross_entropy(), activities=activities)
    return diagnose(hand.record(losses, book=book))


def test_inputs_that_have_become_the_same():
    report = collapsed([0.3, 0.9, 0.9999], hand.flat())
    assert [(f.condition, f.cause) for f in report.findings[:1]] == [("rank_collapse", "weight_scale_small")]
    assert report.findings[0].evidence["mean_cosine_last"] == 0.9999


@pytest.mark.parametrize(
    ("cosines", "losses"),
    [([0.3, 0.5, 0.6], hand.flat()), ([0.9995, 0.9996, 0.9999], hand.flat()), ([0.3, 0.9, 0.9999], hand.falling(200))],
)
def test_inputs_told_apart_or_alike_from_the_start_or_learned_all_the_same(cosines, losses):
    assert not any(finding.condition == "rank_collapse" for finding in collapsed(cosines, losses).findings)
