"""The signs of a forecast, each against what its words say."""

from __future__ import annotations

from math import exp, isfinite, log, log10

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradclinic.diagnose.forecast.signs import FLOOR, LEAST, LOST, MOST, Point, point, signs


def data(at: int, loss: float | None, calibrated: float | None, constant: float | None = 2.0) -> dict[str, object]:
    return {"at": at, "loss": loss, "constant": constant, "calibrated": calibrated}


def test_a_point_is_in_units_of_the_constant_prediction() -> None:
    assert point(data(3, 5.0, 1.5)) == Point(3, 0.25, 1.75)
    assert point(data(3, 5.0, None)) == Point(3, 0.0, 1.5)  # nothing explained is known
    assert point(data(3, None, None)) == Point(3, 0.0, LOST - 1)
    assert point(data(3, 1.0, 1.0, None)) is None
    assert point(data(3, -1.0, -2.0, -1.5)) is None


def test_what_is_explained_goes_on_at_its_fastest_rate_and_not_beyond_all() -> None:
    slow = [Point(0, 0.0, 0.0), Point(12, 0.01, 0.0), Point(24, 0.05, 0.0)]
    found = signs([slow], [(0, 1.0)], 0.1, 124)
    assert found is not None
    assert exp(found.explained) == pytest.approx(0.05 + 100 * 0.04 / 12 + FLOOR)
    full = signs([slow], [(0, 1.0)], 0.1, 10_000)
    assert full is not None
    assert exp(full.explained) == pytest.approx(1 + FLOOR)


def test_an_excess_goes_on_falling_as_it_fell_and_one_that_rose_stays() -> None:
    falling = signs([[Point(0, 0, 4.0), Point(24, 0, 1.0)]], [(0, 1.0)], 0.1, 48)
    assert falling is not None
    assert exp(falling.excess) == pytest.approx(0.25 + FLOOR, rel=0.01)
    assert exp(falling.excess_now) == pytest.approx(1 + FLOOR)
    rising = signs([[Point(0, 0, 1.0), Point(24, 0, 4.0)]], [(0, 1.0)], 0.1, 10_000)
    assert rising is not None
    assert exp(rising.excess) == pytest.approx(4 + FLOOR)


def test_the_speed_carries_its_growth_on() -> None:
    points = [[Point(0, 0, 0), Point(24, 0, 0)]]
    steady = signs(points, [(0, 2.0), (24, 2.0)], 0.01, 100)
    assert steady is not None
    assert steady.carried == pytest.approx(log10(0.01 * 2 * 100))
    # ρ doubles every 24 steps: from the last measurement on, its mean over 96 more is (2^4 - 1)/(4 ln 2) as large.
    growing = signs(points, [(0, 1e-3), (24, 2e-3)], 0.01, 96)
    assert growing is not None
    assert growing.carried == pytest.approx(log10(0.01 * 2e-3 * 96 * 15 / (4 * log(2))))
    never = signs(points, [(0, 0.0), (24, 0.0)], 0.01, 100)
    assert never is not None
    assert never.carried == LEAST


def test_without_measurements_there_are_no_signs() -> None:
    one = [Point(0, 0, 0)]
    assert signs([], [(0, 1.0)], 0.1, 10) is None
    assert signs([one], [(0, 1.0)], 0.1, 10) is None
    blind = signs([[*one, Point(24, 0, 0)]], [], 0.1, 10)
    assert blind is not None
    assert blind.vector((9.0, 9.0, 9.0, 7.0))[3] == 7.0


@given(
    shares=st.lists(st.floats(0, 1), min_size=3, max_size=3),
    excesses=st.lists(st.floats(0, LOST), min_size=3, max_size=3),
    speeds=st.lists(st.floats(0, 1e300) | st.just(float("inf")) | st.just(float("nan")), min_size=2, max_size=2),
    lr=st.floats(1e-12, 1e3),
    steps=st.integers(1, 10**9),
)
def test_signs_are_always_numbers(
    shares: list[float], excesses: list[float], speeds: list[float], lr: float, steps: int
) -> None:
    points = [Point(at, share, excess) for at, share, excess in zip((0, 12, 24), shares, excesses, strict=True)]
    found = signs([points], [(0, speeds[0]), (24, speeds[1])], lr, steps)
    assert found is not None
    assert all(isfinite(value) for value in found.vector((0.0,) * 4))
    assert found.carried is not None
    assert LEAST <= found.carried <= MOST
