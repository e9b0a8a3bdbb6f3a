import pytest
import torch

from gradclinic.measure.convergence import Totals
from gradclinic.measure.convergence.totals import together

CURVATURE = torch.tensor([1.0, 0.3, 0.05])


def stretch(steps, weights, gradients, decay=0.0):
    p = torch.nn.Parameter(torch.zeros(3))
    totals = Totals([p], steps)
    for at, gradient in zip(weights, gradients, strict=True):
        p.data.copy_(at)
        p.grad = gradient.clone()
        totals.add()
    return totals.read({p: decay})[p]


def test_the_fall_and_the_excess_are_those_of_the_quadratic():
    weights = torch.randn(400, 3) + torch.linspace(3, 1, 400)[:, None]
    found = stretch(400, weights, weights * CURVATURE)

    def loss(at):
        return float((0.5 * CURVATURE * at**2).sum())

    first, second = weights[:200].mean(0), weights[200:].mean(0)
    assert found.fall == pytest.approx(loss(first) - loss(second), rel=1e-4)
    mean = sum(loss(at) for at in weights) / 400
    assert found.excess == pytest.approx(mean - loss(weights.mean(0)), rel=1e-4)


def test_noise_of_the_gradient_drops_out_of_the_excess():
    weights = torch.randn(20000, 3)
    found = stretch(20000, weights, weights * CURVATURE + torch.randn(20000, 3))
    assert found.excess == pytest.approx(0.5 * float(CURVATURE.sum()), rel=0.1)


def test_signal_is_one_for_noise_and_the_number_of_steps_for_a_constant():
    still = torch.zeros(300, 3)
    values = [stretch(300, still, torch.randn(300, 3)).signal for _ in range(40)]
    assert sum(values) / 40 == pytest.approx(1, abs=0.4)
    assert stretch(300, still, torch.ones(300, 3)).signal == pytest.approx(300, rel=1e-4)


def test_what_decay_balances_is_no_gradient():
    weights = torch.full((100, 3), 2.0)
    assert stretch(100, weights, -0.1 * weights, decay=0.1).mean == pytest.approx(0, abs=1e-6)


def test_a_parameter_without_gradient_and_half_precision_and_sparse_rows():
    none, half, rows = (torch.nn.Parameter(torch.ones(4, 2, dtype=kind)) for kind in (None, torch.bfloat16, None))
    half.grad = torch.full((4, 2), 0.5, dtype=torch.bfloat16)
    rows.grad = torch.sparse_coo_tensor([[1]], [[3.0, 4.0]], (4, 2), check_invariants=True)
    totals = Totals([none, half, rows], 2)
    totals.add()
    totals.add()
    found = totals.read({})
    assert (found[none].mean, found[none].signal) == (0, 0)
    assert found[half].mean == pytest.approx(0.5 * 8**0.5)
    assert found[rows].size == pytest.approx(5)
    assert together(list(found.values())).size == pytest.approx((25 + 2) ** 0.5)


def test_a_complex_parameter_counts_as_its_parts():
    p = torch.nn.Parameter(torch.zeros(2, dtype=torch.complex64))
    p.grad = torch.full((2,), 3 + 4j)
    totals = Totals([p], 2)
    totals.add()
    totals.add()
    assert totals.read({})[p].mean == pytest.approx(50**0.5)
