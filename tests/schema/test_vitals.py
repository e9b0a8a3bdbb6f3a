"""Merging vitals: an addition of parts, with an identity, over all of float64's range."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gradclinic.schema.vitals import VITALS, Vitals, absent, balanced, merge, merge_parts, norms, rms


def row(values: list[float]) -> Vitals:
    """Vitals of a few float64, by exact arithmetic."""
    table = absent(1)
    finite = [value for value in values if math.isfinite(value)]
    sizes = [abs(value) for value in finite if value]
    table["count"] = len(values)
    table["non_finite"] = len(values) - len(finite)
    table["zeros"] = finite.count(0.0)
    table["subnormals"] = sum(size < 2.0**-1022 for size in sizes)
    table["total"] = math.fsum(finite)
    squares, exponent = sum((Fraction(size) ** 2 for size in sizes), Fraction(0)), 0
    if sizes:
        exponent = math.frexp(max(sizes))[1]
        squares /= Fraction(4) ** exponent
    table["square_sum"], table["square_exponent"] = balanced(float(squares), exponent)
    table["smallest"] = min(sizes, default=math.inf)
    table["largest"] = max(sizes, default=0.0)
    return table


# Sums of up to a dozen stay inside float64, so that exact totals exist; squares of these do not.
numbers = st.one_of(
    st.floats(-1e306, 1e306), st.sampled_from([0.0, -0.0, math.inf, math.nan, 5e-324, 1e-160, 1e200, -1e-200])
)
rows = st.one_of(st.builds(row, st.lists(numbers, max_size=4)), st.just(absent(1)))


@given(st.lists(numbers, max_size=5), st.lists(numbers, max_size=5))
def test_parts_merge_to_the_vitals_of_the_whole(left: list[float], right: list[float]) -> None:
    merged, whole = merge(row(left), row(right)), row(left + right)
    for name in ("count", "non_finite", "zeros", "subnormals", "smallest", "largest"):
        assert merged[name] == whole[name]
    scale = math.fsum(abs(value) for value in left + right if math.isfinite(value))
    assert merged["total"] == pytest.approx(whole["total"], abs=1e-15 * scale)
    assert norms(merged) == pytest.approx(norms(whole), rel=1e-14, abs=1e-323)


@given(rows, rows)
def test_merging_is_commutative_bit_by_bit(left: Vitals, right: Vitals) -> None:
    assert merge(left, right).tobytes() == merge(right, left).tobytes()


@given(rows)
def test_absent_rows_are_the_identity_bit_by_bit(some: Vitals) -> None:
    assert merge(some, absent(1)) == merge(absent(1), some) == some
    assert merge(some, absent(1))["count"] == some["count"]


@given(rows, rows, rows)
def test_merging_is_associative_up_to_rounding(a: Vitals, b: Vitals, c: Vitals) -> None:
    first, second = merge(merge(a, b), c), merge(a, merge(b, c))
    for name in ("count", "non_finite", "zeros", "subnormals", "smallest", "largest"):
        assert first[name] == second[name]
    assert norms(first) == pytest.approx(norms(second), rel=1e-14, abs=1e-323, nan_ok=True)
    scale = sum(max(float(part["count"][0]), 0.0) * float(part["largest"][0]) for part in (a, b, c))
    assume(math.isfinite(scale))
    assert first["total"] == pytest.approx(second["total"], abs=1e-15 * scale)


@given(st.lists(st.tuples(rows, st.integers(0, 3)), max_size=8))
def test_merging_many_parts_is_merging_them_one_by_one(parts: list[tuple[Vitals, int]]) -> None:
    one_by_one = absent(4)
    for part, place in parts:
        one_by_one[place : place + 1] = merge(one_by_one[place : place + 1], part)
    together = merge_parts(
        np.concatenate([part for part, _ in parts] or [absent(0)]), np.array([place for _, place in parts], np.int64), 4
    )
    for name in ("count", "non_finite", "zeros", "subnormals", "smallest", "largest"):
        np.testing.assert_array_equal(together[name], one_by_one[name])
    np.testing.assert_allclose(norms(together), norms(one_by_one), rtol=1e-14, atol=1e-323)


@given(st.floats(0.0, allow_infinity=False), st.integers(-3000, 3000))
def test_balancing_keeps_the_sum_exactly_and_is_unique(square_sum: float, exponent: int) -> None:
    value, power = balanced(square_sum, exponent)
    assert Fraction(float(value)) * Fraction(4) ** int(power) == Fraction(square_sum) * Fraction(4) ** exponent
    again = balanced(value, power)
    assert (again[0], again[1]) == (value, power)
    if square_sum and abs(math.frexp(square_sum)[1] + 2 * exponent) < 890:
        assert power == 0  # so that an ordinary sum of squares can be read off directly


@pytest.mark.parametrize(("values", "norm", "mean"), [([3.0, 4.0], 5.0, math.sqrt(12.5)), ([0.0], 0.0, 0.0)])
def test_norm_and_rms(values: list[float], norm: float, mean: float) -> None:
    assert norms(row(values))[0] == norm
    assert rms(row(values))[0] == pytest.approx(mean)


def test_rms_exists_where_the_norm_leaves_float64() -> None:
    assert norms(row([1.5e308, -1.5e308] * 2))[0] == math.inf
    assert rms(row([1.5e308, -1.5e308] * 2))[0] == pytest.approx(1.5e308)


def test_nothing_to_average_is_nan() -> None:
    table = np.concatenate([absent(1), row([]), row([math.nan])])
    assert np.isnan(norms(table)).tolist() == [True, False, False]
    assert np.isnan(rms(table)).tolist() == [True, True, True]


def test_rows_that_do_not_match_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(2,\) and \(3,\)"):
        merge(absent(2), absent(3))
    with pytest.raises(ValueError, match="rows 0 to 5, but there are 2"):
        merge_parts(np.zeros(2, VITALS), np.array([0, 5]), 2)


def test_totals_beyond_float64_are_quiet() -> None:
    big = row([1.5e308])
    assert merge(big, big)["total"] == math.inf
