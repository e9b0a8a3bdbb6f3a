"""Zeros, dead and saturated units, size and likeness of activations whose outputs are set by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from gradclinic.measure.ledger import measure

from .chains import account_of


def activity_of(function, x):
    """The activity of ``function`` on a given pre-activation (which a product with the identity passes on)."""
    weight = torch.eye(x.shape[-1], requires_grad=True)
    (found,) = measure((function(x @ weight) @ torch.ones(x.shape[-1], 1)).sum()).activities
    return found


def test_dead_units_and_zeros():
    x = torch.tensor([[1.0, -1.0, 2.0, -3.0], [2.0, -1.0, -2.0, -3.0], [3.0, -1.0, 2.0, -3.0]])
    found = activity_of(torch.relu, x)
    assert (found.op, found.units, found.dead, found.dead_units) == ("Relu", 4, (1, 3), 2)
    assert found.zero_fraction == pytest.approx(7 / 12)
    assert found.saturated_fraction == pytest.approx(7 / 12)
    assert found.saturated_units == 2
    assert found.rms == pytest.approx(math.sqrt((1 + 4 + 4 + 9 + 4) / 12))


SLOPES = {
    "sigmoid": torch.sigmoid, "tanh": torch.tanh, "erf": torch.erf, "softplus": F.softplus, "gelu": F.gelu,
    "silu": F.silu, "mish": F.mish, "hardswish": F.hardswish, "hardsigmoid": F.hardsigmoid,
    "hardtanh": F.hardtanh, "relu6": F.relu6, "elu": F.elu, "selu": F.selu, "leaky": F.leaky_relu,
    "logsigmoid": F.logsigmoid, "clamp": lambda x: x.clamp(-1, 1), "clamp_min": lambda x: x.clamp(min=0),
    "softshrink": F.softshrink,
}  # fmt: skip


@pytest.mark.parametrize("name", SLOPES)
def test_saturated_means_a_slope_below_a_tenth_of_the_largest(name):
    """Held against autograd's own slope on a grid."""
    grid = (torch.arange(-8000, 8000, dtype=torch.float64) / 1000 + 0.00025).requires_grad_()
    (slope,) = torch.autograd.grad(SLOPES[name](grid).sum(), grid)
    expected = float((slope.abs() < slope.max() / 10).double().mean())
    found = activity_of(SLOPES[name], grid.detach().float().reshape(-1, 8))
    assert found.saturated_fraction == pytest.approx(expected, abs=5e-4)


def test_softsign_module():
    model = nn.Sequential(nn.Linear(3, 3), nn.Softsign(), nn.Linear(3, 1))
    with torch.no_grad():
        model[0].weight.copy_(torch.eye(3))
        model[0].bias.zero_()
    x = torch.tensor([[0.0, 2.1, 2.3], [-2.1, -2.3, 9.0]])
    (found,) = account_of(model, lambda: model(x).sum()).activities
    assert found.saturated_fraction == pytest.approx(3 / 6)  # beyond √10 - 1 = 2.162


@pytest.mark.parametrize(("shape", "units"), [((6, 5), 5), ((4, 3, 5), 5)])
def test_feature_dimension_is_the_last(shape, units):
    layer = nn.Linear(7, 5)
    (found,) = measure(torch.relu(layer(torch.randn(*shape[:-1], 7))).square().sum()).activities
    assert found.units == units


@pytest.mark.parametrize(("convolution", "shape"), [(nn.Conv1d, (4, 3, 9)), (nn.Conv2d, (4, 3, 9, 9))])
def test_feature_dimension_behind_a_convolution_is_the_second(convolution, shape):
    layer = convolution(3, 6, 3)
    with torch.no_grad():
        layer.bias[2] = -100  # channel 2 is dead
    (found,) = measure(torch.relu(layer(torch.randn(shape))).square().sum()).activities
    assert (found.units, found.dead) == (6, (2,))


def test_correlation_of_equal_and_of_orthogonal_inputs():
    assert activity_of(torch.relu, torch.ones(9, 4)).correlation == pytest.approx(1.0)
    assert activity_of(torch.relu, torch.eye(4)).correlation == pytest.approx(0.0, abs=1e-6)
    x = torch.randn(30, 5).abs()
    rows = x / x.norm(dim=1, keepdim=True)
    cosines = (rows @ rows.t())[~torch.eye(30, dtype=torch.bool)]
    assert activity_of(torch.relu, x).correlation == pytest.approx(float(cosines.mean()), rel=1e-5)
    assert activity_of(torch.relu, torch.ones(1, 4)).correlation is None


def test_in_place_relu():
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(inplace=True), nn.Linear(8, 1))
    (found,) = account_of(model, lambda: model(torch.randn(16, 4)).sum()).activities
    assert found.module == "1"
    assert 0.1 < found.zero_fraction < 0.9
