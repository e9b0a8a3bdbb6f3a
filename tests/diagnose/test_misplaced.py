"""Predictions flattened in another order than their targets."""

from __future__ import annotations

import pytest

from gradclinic.schema.record import Event

from . import handmade as hand
from .verdicts import pair, quiet


def order(as_is: float, swapped: float) -> Event:
    data = {"as_is": as_is, "swapped": swapped, "dimensions": [0, 1], "shape": [48, 32], "module": "", "of": 0}
    return Event(150, "pairing", data)


def test_another_order_says_what_this_one_does_not():
    assert pair(hand.record(hand.flat(), events=[order(0.9, 6.0)])) == ("plateau", "loss_mismatch")


@pytest.mark.parametrize(("as_is", "swapped"), [(0.9, 1.1), (6.0, 0.9), (6.0, 8.0)])
def test_an_order_that_says_something_or_of_which_none_does(as_is: float, swapped: float):
    assert pair(hand.record(hand.flat(), events=[order(as_is, swapped)])) == ("plateau", "unknown")


def test_what_learns_is_not_asked():
    quiet(hand.record(hand.falling(), events=[order(0.9, 6.0)]))
