"""The interval of paired differences, against scipy's paired t test."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradclinic.cure.trials import paired_interval


@pytest.mark.parametrize("count", [2, 3, 4, 8, 16, 17, 40, 400])
def test_it_is_the_paired_t_interval(count: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    draw = np.random.default_rng(count)
    a, b = draw.normal(1, 1, count), draw.normal(0, 1, count)
    found = paired_interval(a.tolist(), b.tolist())
    wanted = stats.ttest_rel(a, b).confidence_interval(0.95)
    assert found.mean == pytest.approx((a - b).mean())
    assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high), rel=1e-3)


def test_one_pair_says_nothing() -> None:
    found = paired_interval([3.0], [1.0])
    assert (found.mean, found.low, found.high) == (2.0, -inf, inf)
    assert not found.above_zero


@pytest.mark.parametrize(("a", "b"), [([], []), ([1.0], [1.0, 2.0])])
def test_what_is_not_paired_is_refused(a: list[float], b: list[float]) -> None:
    with pytest.raises(ValueError, match=r"pairs|argument"):
        paired_interval(a, b)


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=2, max_size=20))
def test_turned_round_it_is_the_same_with_the_other_sign(pairs: list[tuple[float, float]]) -> None:
    a, b = [x for x, _ in pairs], [y for _, y in pairs]
    one, other = paired_interval(a, b), paired_interval(b, a)
    assert (one.mean, one.low, one.high) == pytest.approx((-other.mean, -other.high, -other.low), abs=1e-6)
    assert one.low <= one.mean <= one.high
