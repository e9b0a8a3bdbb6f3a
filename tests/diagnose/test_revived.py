"""A gradient that comes back when one normalisation, or one number format, is left out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gradclinic.schema.record import Event

from . import handmade as hand
from .test_interventions import test as tried
from .verdicts import pair, stuck

FLAT = [2.3, 2.3]


def with_tests(*events: Event, first: float = 0.0):
    return hand.record(hand.flat(), events=[tried("", FLAT, first=first), *events])


@pytest.mark.parametrize("before", [0.0, 1e-8])
def test_a_normalisation_that_leaves_nothing(before: float):
    events = [tried("normalization", FLAT, first=1e-2, where=["norm"])]
    assert pair(with_tests(*events, first=before)) == ("plateau", "normalization_placement")


@pytest.mark.parametrize(("over", "cause"), [(3, "precision_overflow"), (0, "precision_underflow")])
def test_a_number_format_that_stops_the_gradient(over: int, cause: str):
    events = [tried("precision", FLAT, first=1e-2, numbers={"overflowed_calls": over})]
    assert pair(with_tests(*events)) == ("plateau", cause)


def test_what_rescaled_weights_bring_back_as_well_is_not_blamed_on_the_normalisation():
    events = [tried("normalization", FLAT, first=1e-2, where=["norm"]), tried("weight_scale", FLAT, first=1e-2)]
    assert pair(with_tests(*events, first=1e-8))[1] != "normalization_placement"
    assert pair(with_tests(tried("normalization", FLAT, first=1e-2, where=["norm"]), first=1e-3))[1] == "unknown"


def test_it_is_told_before_the_weights_that_the_account_would_blame():
    gradient = [tried("", FLAT, first=1e-8), tried("normalization", FLAT, first=1e-2, where=["norm"])]
    record = stuck(sigma=0.5)
    assert pair(record)[1] == "weight_scale_small"
    assert pair(replace(record, events=tuple(gradient))) == ("vanishing_gradient", "normalization_placement")
