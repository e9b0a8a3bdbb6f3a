from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gradclinic.measure.jacobian import NotFinite, Symmetric, largest_eigenvalues
from gradclinic.measure.jacobian.lanczos import smallest_eigenpair
from gradclinic.measure.jacobian.lean import largest_lean
from tests.measure.jacobian.matrices import normal, symmetric, with_eigenvalues


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=12), st.integers(0, 9))
def test_the_largest_of_any_symmetric_matrix(values, seed):
    spread = torch.tensor(values, dtype=torch.float64)
    found = largest_eigenvalues(symmetric(with_eigenvalues(spread, seed)), tolerance=1e-9)
    assert found.values[0] == pytest.approx(float(spread.max()), abs=1e-8 * float(spread.abs().max()) + 1e-12)
    assert found.products <= len(values)


@given(st.integers(1, 10), st.integers(0, 20))
def test_a_bound_from_below_and_one_within_the_residual(steps, seed):
    raw = normal(30, 30, seed=seed)
    matrix = raw + raw.T
    true = torch.linalg.eigvalsh(matrix)
    found = largest_eigenvalues(symmetric(matrix), maximum=steps, tolerance=0)
    assert found.products == steps
    assert found.values[0] <= float(true[-1]) * (1 + 1e-12)
    assert float((true - found.values[0]).abs().min()) <= found.bounds[0] * (1 + 1e-9) + 1e-12


def test_several_descending():
    true = torch.tensor([9.0, 7.0, 5.0, *torch.linspace(1, 0, 97)]).double()
    found = largest_eigenvalues(symmetric(with_eigenvalues(true)), count=3, tolerance=1e-6)
    assert found.converged
    assert found.values == pytest.approx((9, 7, 5), rel=1e-6)
    assert len(found.bounds) == 3


def test_it_stops_when_it_knows_and_says_when_it_does_not():
    true = torch.tensor([10.0, *torch.linspace(1, 0, 199)]).double()
    matrix = with_eigenvalues(true)
    found = largest_eigenvalues(symmetric(matrix))
    assert found.converged
    assert found.products < 10
    assert found.values[0] == pytest.approx(10, rel=1e-3)
    short = largest_eigenvalues(symmetric(normal(200, 200) + normal(200, 200).T), maximum=3)
    assert not short.converged
    assert short.products == 3


@pytest.mark.parametrize(("matrix", "wanted"), [(torch.zeros(9, 9), 0), (4 * torch.eye(9), 4), (-torch.eye(9), -1)])
def test_one_repeated_eigenvalue(matrix, wanted):
    found = largest_eigenvalues(symmetric(matrix.double()))
    assert found.values[0] == pytest.approx(wanted)
    assert found.converged
    assert found.products == 1


def test_as_many_as_asked_for():
    found = largest_eigenvalues(symmetric(4 * torch.eye(9).double()), count=2)
    assert found.values == pytest.approx((4, 4))
    assert len(largest_eigenvalues(symmetric(torch.eye(2).double()), count=5).values) == 2


def test_the_largest_is_not_the_largest_in_magnitude():
    true = torch.tensor([-50.0, *torch.linspace(0, 2, 49)]).double()
    assert largest_eigenvalues(symmetric(with_eigenvalues(true))).values[0] == pytest.approx(2, rel=1e-2)


@given(st.floats(1e-8, 1e8))
def test_scale_equivariance(factor):
    raw = normal(20, 20)
    one, two = (largest_eigenvalues(symmetric(c * (raw + raw.T)), maximum=6) for c in (1.0, factor))
    assert two.values[0] == pytest.approx(factor * one.values[0])
    assert two.bounds[0] == pytest.approx(factor * one.bounds[0])


def test_the_same_generator_gives_the_same_bits():
    matrix, state = normal(30, 30) + normal(30, 30).T, torch.get_rng_state()
    first, second = (
        largest_eigenvalues(symmetric(matrix), maximum=5, generator=torch.Generator().manual_seed(7)) for _ in range(2)
    )
    assert first == second
    assert torch.equal(torch.get_rng_state(), state)


def test_what_is_not_finite_is_named():
    with pytest.raises(NotFinite, match="curvature holds inf or nan"):
        largest_eigenvalues(Symmetric(3, lambda v: v * math.nan))


@pytest.mark.parametrize("wrong", [{"count": 0}, {"maximum": 0}])
def test_counts_below_one_are_refused(wrong):
    with pytest.raises(ValueError, match="at least 1"):
        largest_eigenvalues(symmetric(torch.eye(3).double()), **wrong)


@given(st.integers(1, 8), st.integers(0, 20))
def test_the_lean_one_is_the_same_as_long_as_nothing_has_converged(steps, seed):
    raw = normal(30, 30, seed=seed)
    matrix = symmetric(raw + raw.T)
    whole = largest_eigenvalues(matrix, maximum=steps, tolerance=0, generator=torch.Generator().manual_seed(seed))
    lean = largest_lean(matrix, maximum=steps, tolerance=0, generator=torch.Generator().manual_seed(seed))
    assert lean.products == whole.products
    assert lean.values == pytest.approx(whole.values, rel=1e-9)
    assert lean.bounds == pytest.approx(whole.bounds, rel=1e-6)


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=12), st.integers(0, 9))
def test_the_lean_one_finds_the_largest_of_any_matrix(values, seed):
    spread = torch.tensor(values, dtype=torch.float64)
    found = largest_lean(symmetric(with_eigenvalues(spread, seed)), maximum=40, tolerance=1e-9)
    assert found.values[0] == pytest.approx(float(spread.max()), abs=1e-7 * float(spread.abs().max()) + 1e-12)


def test_the_smallest_eigenpair_of_a_diagonal():
    values = torch.cat([torch.linspace(0, 10, 60, dtype=torch.float64), torch.tensor([-0.5], dtype=torch.float64)])
    lowest, largest, vector = smallest_eigenpair(Symmetric(61, lambda v: values * v))
    assert lowest == pytest.approx(-0.5, rel=1e-2)
    assert largest == pytest.approx(10, rel=1e-3)
    assert float(vector.norm()) == pytest.approx(1)
    assert abs(float(vector[-1])) > 0.99
