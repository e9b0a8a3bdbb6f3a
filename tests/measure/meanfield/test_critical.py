"""The critical line: published tables, closed forms, and the regime at what is found."""

from __future__ import annotations

from math import exp, pi, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradclinic.measure.meanfield import ACTIVATIONS, Activation, critical_sigma_w, edge_of_chaos, leaky_relu, regime

BIASES = (0.001, 0.01, 0.05, 0.1, 0.2)
TABLE = {
    "tanh": (1.18919, 1.42421, 1.76095, 1.98607, 2.28515),
    "erf": (0.93258, 1.11428, 1.37584, 1.55212, 1.78818),
    "hardtanh": (1.008, 1.052, 1.166, 1.263, 1.410),
}


@pytest.mark.parametrize("name", TABLE)
def test_table(name):
    digits = 1e-3 if name == "hardtanh" else 1e-5
    for variance, expected in zip(BIASES, TABLE[name], strict=True):
        assert critical_sigma_w(ACTIVATIONS[name], sqrt(variance)).sigma_w ** 2 == pytest.approx(expected, abs=digits)


@pytest.mark.parametrize(
    ("name", "variance"),
    list({"tanh": 1.0, "erf": pi / 4, "relu": 2.0, "hardtanh": 1.0, "sin": 1.0, "softsign": 1.0, "relu6": 2.0}.items()),
)
def test_limit_of_no_bias(name, variance):
    assert critical_sigma_w(ACTIVATIONS[name]).sigma_w ** 2 == pytest.approx(variance, rel=1e-9)
    for sigma_b in (1e-150, 1e-15, 1e-9):  # near and below what can be told from none
        assert critical_sigma_w(ACTIVATIONS[name], sigma_b).sigma_w ** 2 == pytest.approx(variance, rel=1e-3)


@given(slope=st.floats(0, 1.5), sigma_b=st.floats(0, 3))
@settings(max_examples=15, deadline=None)
def test_leaky_relu_whatever_the_length(slope, sigma_b):
    found = critical_sigma_w(leaky_relu(slope), sigma_b)
    assert found.sigma_w**2 == pytest.approx(2 / (1 + slope**2), rel=1e-12)
    assert found.q is None


def test_sine_in_closed_form():
    # χ = 1 and the fixed point give σ_b² = q - tanh q and σ_w² = 2/(1 + e^(-2q)).
    for q in (0.2, 1.0, 3.0):
        found = critical_sigma_w(ACTIVATIONS["sin"], sqrt(q - np.tanh(q)))
        assert found.q == pytest.approx(q, rel=1e-8)
        assert found.sigma_w**2 == pytest.approx(2 / (1 + exp(-2 * q)), rel=1e-9)


@pytest.mark.parametrize(
    "name", ["tanh", "hardtanh", "sigmoid", "hardsigmoid", "selu", "softsign", "gelu", "silu", "mish"]
)
def test_at_it_the_regime_is_critical(name):
    found = critical_sigma_w(ACTIVATIONS[name], 0.8)
    there = regime(ACTIVATIONS[name], found.sigma_w, 0.8, q0=2 * found.q)
    assert there.q == pytest.approx(found.q, rel=1e-6)
    assert there.chi == pytest.approx(1, abs=1e-7)
    assert there.phase == "critical"


def test_a_sigmoid_is_critical_far_beyond_usual_gains():
    found = critical_sigma_w(ACTIVATIONS["sigmoid"])
    assert found.sigma_w == pytest.approx(10.149, abs=1e-3)
    # As a step, E[φ²] = 1/2 and E[φ'²] = ∫φ'²/√(2πq) = 1/(6√(2πq)): √q = 3√(2π).
    assert found.q == pytest.approx((3 * sqrt(2 * pi)) ** 2, rel=0.25)


@pytest.mark.parametrize(
    ("name", "sigma_b", "why"),
    [
        ("gelu", 0.0, "q → 0"),
        ("gelu", 0.4, "runs away"),  # 0.16, just below the joint point
        ("silu", 0.3, "runs away"),
        ("square", 0.5, "runs away"),
        ("exp", 0.1, "runs away"),
        ("tanhshrink", 0.1, "runs away"),
        ("softplus", 0.5, "without a bias already"),
        ("logsigmoid", 0.0, "without a bias already"),
        ("elu", 1000.0, "needs a bias"),
    ],
)
def test_none_says_why(name, sigma_b, why):
    found = critical_sigma_w(ACTIVATIONS[name], sigma_b)
    assert found.sigma_w is None
    assert why in found.reason


def test_no_slope_at_all():
    constant = Activation.of(np.ones_like, np.zeros_like)
    assert critical_sigma_w(constant, 0.1).reason == "the slope is 0 at every length"
    assert edge_of_chaos(constant).sigma_w is None


# Roberts, Yaida and Hanin 2022, table in chapter 5; GELU's fixed point is (3 + √17)/2.
@pytest.mark.parametrize(
    ("name", "weights", "biases", "q"),
    [("gelu", 1.98305826, 0.17292239, (3 + sqrt(17)) / 2), ("silu", 1.98800468, 0.55514317, 14.32017362)],
)
def test_joint_point(name, weights, biases, q):
    found = edge_of_chaos(ACTIVATIONS[name])
    assert found.sigma_w**2 == pytest.approx(weights, abs=1e-8)
    assert found.sigma_b**2 == pytest.approx(biases, abs=1e-8)
    assert found.q == pytest.approx(q, rel=1e-8)
    # It ends the line: a little more bias has a critical point, a little less none.
    assert critical_sigma_w(ACTIVATIONS[name], found.sigma_b * 1.01).sigma_w is not None
    assert critical_sigma_w(ACTIVATIONS[name], found.sigma_b * 0.99).sigma_w is None


def test_other_edges():
    for name, variance in (("tanh", 1.0), ("erf", pi / 4), ("sin", 1.0), ("hardtanh", 1.0), ("relu6", 2.0)):
        found = edge_of_chaos(ACTIVATIONS[name])
        assert (found.sigma_w**2, found.sigma_b, found.q) == (pytest.approx(variance), 0.0, 0.0)
    found = edge_of_chaos(ACTIVATIONS["relu"])
    assert (found.sigma_w**2, found.sigma_b, found.q) == (pytest.approx(2.0), 0.0, None)
    for name in ("sigmoid", "softplus", "exp", "square", "tanhshrink"):
        assert edge_of_chaos(ACTIVATIONS[name]).sigma_w is None


def test_a_negative_bias():
    with pytest.raises(ValueError, match="sigma_b must be 0 or more"):
        critical_sigma_w(ACTIVATIONS["tanh"], -0.1)
