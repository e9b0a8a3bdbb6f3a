"""How wide the band of good rates is."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradclinic.cure.comparing.sensitivity import KEPT, band, good
from gradclinic.cure.trials import Outcome
from gradclinic.cure.tuning import Round


def test_the_ends_lie_where_the_loss_passes_the_limit() -> None:
    # Before: 2.  The best falls by 1; a good rate keeps 0.9 of it, and is below 1.1.
    found = good({1e-3: 2.0, 1e-2: 1.0, 1e-1: 1.05, 1.0: 1.15}, 2.0)
    assert found is not None
    assert found.low == pytest.approx(10 ** (-2 - 0.1))
    assert found.high == pytest.approx(10 ** (-1 + 0.5))
    assert found.ends == (True, True)
    assert found.decades == pytest.approx(1.6)


def test_where_the_grid_ends_first_there_is_at_least_so_much() -> None:
    found = good({1e-2: 1.0, 1e-1: 1.0}, 2.0)
    assert found is not None
    assert (found.low, found.high, found.ends) == (1e-2, 1e-1, (False, False))


def test_a_rate_that_diverges_ends_the_band_at_its_neighbour() -> None:
    found = good({1e-2: 1.0, 1e-1: 1.05, 1.0: inf}, 2.0)
    assert found is not None
    assert (found.high, found.ends) == (1e-1, (False, True))


def test_a_second_valley_does_not_count() -> None:
    found = good({1e-3: 1.0, 1e-2: 1.9, 1e-1: 0.95}, 2.0)
    assert found is not None
    assert found.low > 1e-2


def test_where_nothing_falls_there_is_no_band() -> None:
    assert good({1e-2: 2.5, 1e-1: inf}, 2.0) is None
    assert band(Round(10)) is None


@given(st.lists(st.floats(0.1, 1.9), min_size=2, max_size=9), st.floats(-1e3, 1e3), st.floats(1e-3, 1e3))
def test_neither_the_floor_nor_the_unit_of_the_loss_matter(losses: list[float], shift: float, unit: float) -> None:
    rates = [10.0**-place for place in range(len(losses))]
    one = good(dict(zip(rates, losses, strict=True)), 2.0)
    other = good({lr: shift + unit * loss for lr, loss in zip(rates, losses, strict=True)}, shift + unit * 2.0)
    assert one is not None
    assert other is not None
    assert other.decades == pytest.approx(one.decades, abs=1e-3)
    assert 0 < KEPT < 1


def test_of_a_round_by_the_mean_over_seeds() -> None:
    part = Round(20, {lr: [Outcome(20, (2.0,) * 10 + (end,) * 10, None)] * 2 for lr, end in ((0.1, 1.0), (1.0, 1.9))})
    found = band(part)
    assert found is not None
    assert found.low == 0.1
