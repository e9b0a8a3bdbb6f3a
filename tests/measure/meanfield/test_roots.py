from __future__ import annotations

from math import cos, exp, pi

import pytest

from gradclinic.measure.meanfield.roots import lowest, root


@pytest.mark.parametrize(
    ("f", "low", "high", "zero"),
    [
        (lambda x: x - 0.3, -1.0, 1.0, 0.3),
        (cos, 0.0, 3.0, pi / 2),
        (lambda x: x**9, -1.0, 2.0, 0.0),  # flat
        (lambda x: exp(50 * x) - 1, -3.0, 1.0, 0.0),  # steep on one side only
        (lambda x: 1.0 if x > 0.123 else -1.0, 0.0, 1.0, 0.123),  # a jump
        (lambda x: x, 0.0, 1.0, 0.0),  # at an end
    ],
)
def test_zeros(f, low, high, zero):
    assert root(f, low, high) == pytest.approx(zero, abs=1e-12 if f(0.5) != 0.5**9 else 1e-2)
    assert root(f, high, low) == pytest.approx(zero, abs=1e-12 if f(0.5) != 0.5**9 else 1e-2)


def test_it_interpolates_where_it_can():
    calls = []
    root(lambda x: calls.append(x) or cos(x), 0.0, 3.0)
    assert len(calls) < 15  # bisection takes 45


def test_no_change_of_sign():
    with pytest.raises(ValueError, match="no change of sign"):
        root(exp, 0.0, 1.0)


def test_a_minimum():
    assert lowest(lambda x: (x - 0.7) ** 2, 0.0, 5.0) == pytest.approx(0.7, abs=1e-6)
    assert lowest(lambda x: abs(x + 0.2), -3.0, 0.0) == pytest.approx(-0.2, abs=1e-6)
