"""Values and slopes against torch's, and a user's own."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from gradclinic.measure.meanfield import ACTIVATIONS, Activation, celu, elu, leaky_relu, moments

TORCH = {
    "identity": lambda x: x,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "erf": torch.erf,
    "sin": torch.sin,
    "exp": torch.exp,
    "square": torch.square,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
}
POINTS = np.concatenate([np.linspace(-9.3, 9.3, 400), [-40.0, -1e-3, 1e-3, 40.0]])


def by_torch(function, points):
    x = torch.tensor(points, dtype=torch.float64, requires_grad=True)
    y = function(x)
    y.sum().backward()
    return y.detach().numpy(), x.grad.numpy()


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_registry_is_torchs(name):
    values, slopes = by_torch(TORCH.get(name) or getattr(F, name), POINTS)
    activation = ACTIVATIONS[name]
    assert activation.name == name
    np.testing.assert_allclose(activation.phi(POINTS), values, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(activation.derivative(POINTS), slopes, rtol=1e-7, atol=1e-14)  # torch's 1/6 is a float32


def test_the_registry_is_complete():
    wanted = (
        "relu leaky_relu elu selu gelu silu mish softplus tanh sigmoid hardtanh hardsigmoid hardswish relu6 softsign "
        "erf sin exp square identity celu tanhshrink logsigmoid gelu_tanh"
    )
    assert set(ACTIVATIONS) == set(wanted.split())


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_far_out_nothing_overflows_that_is_not_large(name):
    far = np.array([-1e5, 1e5])
    with np.errstate(all="raise", under="ignore", over="ignore" if name == "exp" else "raise"):
        values, slopes = ACTIVATIONS[name].phi(far), ACTIVATIONS[name].derivative(far)
    assert not np.isnan(values).any()
    assert not np.isnan(slopes).any()


def test_parameters():
    for made, function in (
        (leaky_relu(0.3), lambda x: F.leaky_relu(x, 0.3)),
        (elu(0.7), lambda x: F.elu(x, 0.7)),
        (celu(0.5), lambda x: F.celu(x, 0.5)),  # torch keeps 1/alpha in float32
    ):
        values, slopes = by_torch(function, POINTS)
        np.testing.assert_allclose(made.phi(POINTS), values, rtol=1e-12)
        np.testing.assert_allclose(made.derivative(POINTS), slopes, rtol=1e-12)
    with pytest.raises(ValueError, match="alpha of celu"):
        celu(0.0)


def test_ones_own_activation_is_as_good_as_the_registered():
    def gentle(x):
        return x / np.sqrt(1 + x**2)

    own = Activation.of(gentle)
    assert own.name == "gentle"
    np.testing.assert_allclose(own.derivative(POINTS), (1 + POINTS**2) ** -1.5, rtol=1e-6, atol=1e-9)
    given = Activation.of(gentle, derivative=lambda x: (1 + x**2) ** -1.5)
    for q in (0.01, 1.0, 30.0):
        assert moments(own, q).slope_square == pytest.approx(moments(given, q).slope_square, rel=1e-8)


def test_ones_own_kink():
    def bent(x):
        return np.where(x > 0.3, x - 0.3, -0.2 * (x - 0.3))

    def exact(q):
        above = 0.5 * math.erfc(0.3 / math.sqrt(2 * q))
        return above + 0.04 * (1 - above)

    named = Activation.of(bent, breakpoints=(0.3,), name="bent")
    unnamed = Activation.of(bent)
    for q in (1e-4, 0.5, 7.0):
        assert moments(named, q).slope_square == pytest.approx(exact(q), rel=1e-9)
        assert moments(unnamed, q).slope_square == pytest.approx(exact(q), rel=2e-5)
        assert moments(unnamed, q).square == pytest.approx(moments(named, q).square, rel=1e-9)


def test_the_slope_beside_a_kink_is_that_of_its_side():
    own = Activation.of(np.abs, breakpoints=(0.0,))
    assert own.derivative(np.array([-1e-12, 1e-12])) == pytest.approx([-1, 1])
    assert moments(own, 0.0).slope_square == pytest.approx(1)


def test_what_is_no_activation():
    with pytest.raises(ValueError, match="must take numpy arrays"):
        Activation.of(math.tanh)
    with pytest.raises(ValueError, match="element by element"):
        Activation.of(np.sum)
    with pytest.raises(ValueError, match="must be finite"):
        Activation.of(np.tanh, breakpoints=(math.nan,))
    with pytest.raises(ValueError, match="not a number between"):
        moments(Activation("log", np.log, np.reciprocal), 1.0)
