from __future__ import annotations

import pytest
import torch

from gradclinic.measure.jacobian import Jacobian, NotFinite, spectrum
from gradclinic.measure.jacobian.check import agree
from tests.measure.jacobian.matrices import normal


def agreement(times, adjoint):
    return agree(lambda v: times @ v, lambda u: adjoint.T @ u, *times.shape, times.device)


def test_a_lost_branch_is_noticed_and_rounding_is_not():
    matrices = [normal(20, 30, seed=seed) for seed in range(100)]
    branches = [normal(20, 30, seed=1000 + seed) for seed in range(100)]
    # A branch with a tenth of the whole's squares: a third of the norm of the product.
    lost = [agreement(matrix, matrix + 0.33 * branch) for matrix, branch in zip(matrices, branches, strict=True)]
    rounded = [agreement(matrix, matrix + 0.005 * branch) for matrix, branch in zip(matrices, branches, strict=True)]
    assert sum(lost) <= 2
    assert all(rounded)


def test_all_lost_is_noticed_and_nothing_to_lose_is_not():
    matrix, nothing = normal(20, 30), torch.zeros(20, 30).double()
    assert not agreement(nothing, matrix)
    assert not agreement(matrix, nothing)
    assert agreement(nothing, nothing)


def test_what_is_not_finite_both_ways_agrees():
    matrix = normal(20, 30)
    broken = matrix.clone()
    broken[3, 4] = torch.nan
    assert agreement(broken, broken)
    assert not agreement(matrix, broken)
    assert not agreement(broken, matrix)


def test_an_infinite_derivative_is_not_finite_and_not_missing():
    jacobian = Jacobian(torch.sqrt, torch.tensor([0.0, 1.0]))
    with pytest.raises(NotFinite):
        spectrum(jacobian, exact_up_to=0)


def test_subnormal_numbers_are_too_coarse_to_disagree():
    jacobian = Jacobian(lambda x: x * 3e-45, torch.ones(20))
    assert float(jacobian.times(torch.ones(20, dtype=torch.float64)).max()) < 1e-44
    assert jacobian.mode == "forward"
