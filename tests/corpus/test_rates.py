"""Wilson's interval against the values printed by Newcombe (Statistics in Medicine 17, 1998, table I, method 3)."""

from __future__ import annotations

import pytest

from corpus.rates import Rate


@pytest.mark.parametrize(
    ("right", "count", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_interval(right: int, count: int, low: float, high: float) -> None:
    assert Rate(right, count).interval == pytest.approx((low, high), abs=5e-5)
    mirrored = Rate(count - right, count).interval
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=5e-5)


def test_none_of_none() -> None:
    assert Rate(0, 0).share is None
    assert str(Rate(0, 0)) == "none"
    assert Rate(0, 0).interval == (0.0, 1.0)


def test_counting() -> None:
    assert Rate.of(value > 2 for value in (1, 2, 3)) == Rate(1, 3)
    assert str(Rate(15, 148)) == "15 of 148, 10% (6 to 16)"
