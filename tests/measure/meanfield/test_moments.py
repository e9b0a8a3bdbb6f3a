"""Gaussian means against closed forms, dense sums and samples."""

from __future__ import annotations

from math import acos, asin, cosh, erf, exp, inf, pi, sinh, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradclinic.measure.meanfield import ACTIVATIONS, Activation, leaky_relu, moments, pair_moments
from gradclinic.measure.meanfield.quadrature import normal_mean

Z, STEP = np.linspace(-12, 12, 40001, retstep=True)
DENSITY = np.exp(-(Z**2) / 2) / sqrt(2 * pi) * STEP
SMOOTH = [name for name, activation in ACTIVATIONS.items() if not activation.breakpoints and name != "exp"]
LENGTHS = st.floats(-6, 4).map(lambda power: 10.0**power)


def dense(f, q):
    """The trapezoid rule: for analytic functions exact to rounding, for a jump to a step."""
    return float(DENSITY @ f(sqrt(q) * Z))


@pytest.mark.parametrize("q", [1e-6, 0.09, 1.0, 25.0])
@pytest.mark.parametrize("name", SMOOTH)
def test_smooth_ones_against_a_dense_sum(name, q):
    found, one = moments(ACTIVATIONS[name], q), ACTIVATIONS[name]
    assert found.square == pytest.approx(dense(lambda x: one.phi(x) ** 2, q), rel=1e-10)
    assert found.slope_square == pytest.approx(dense(lambda x: one.derivative(x) ** 2, q), rel=1e-10)
    assert found.slope_fourth == pytest.approx(dense(lambda x: one.derivative(x) ** 4, q), rel=1e-10)


@pytest.mark.parametrize("q", [1e-6, 0.09, 1.0, 25.0])
@pytest.mark.parametrize("name", [name for name, activation in ACTIVATIONS.items() if activation.breakpoints])
def test_kinked_ones_against_a_dense_sum(name, q):
    found, one = moments(ACTIVATIONS[name], q), ACTIVATIONS[name]
    assert found.square == pytest.approx(dense(lambda x: one.phi(x) ** 2, q), rel=3e-6)
    assert found.slope_square == pytest.approx(dense(lambda x: one.derivative(x) ** 2, q), rel=1e-3)


@given(q=LENGTHS)
@settings(max_examples=15, deadline=None)
def test_closed_forms(q):
    def check(name, square, slope_square):
        found = moments(ACTIVATIONS[name], q)
        assert found.square == pytest.approx(square, rel=1e-9)
        assert found.slope_square == pytest.approx(slope_square, rel=1e-9)

    edge = 1 / sqrt(2 * q)
    within = erf(edge)
    check("relu", q / 2, 0.5)
    check("identity", q, 1.0)
    check("square", 3 * q**2, 4 * q)
    check("erf", 2 / pi * asin(2 * q / (1 + 2 * q)), 4 / pi / sqrt(1 + 4 * q))
    check("hardtanh", q * (within - sqrt(2 / (pi * q)) * exp(-(edge**2))) + 1 - within, within)
    check("sin", -np.expm1(-2 * q) / 2, (1 + exp(-2 * q)) / 2)


@pytest.mark.parametrize("q", [0.1, 1.0, 9.0, 16.0, 60.0])
def test_what_grows_like_an_exponential_has_its_mass_far_out(q):
    found = moments(ACTIVATIONS["exp"], q)
    assert found.square == pytest.approx(exp(2 * q), rel=1e-9)
    assert found.slope_square == pytest.approx(exp(2 * q), rel=1e-9)


def test_a_mean_that_does_not_exist_is_infinite():
    assert moments(ACTIVATIONS["exp"], 400.0).square == inf
    assert moments(Activation.of(lambda x: np.exp(x**2), lambda x: 2 * x * np.exp(x**2)), 1.0).square == inf


def test_limits():
    assert moments(ACTIVATIONS["relu"], 0.0).slope_square == pytest.approx(0.5)
    assert moments(leaky_relu(0.5), 0.0).slope_square == pytest.approx(0.625)
    assert moments(ACTIVATIONS["sigmoid"], 0.0).square == pytest.approx(0.25)
    assert moments(ACTIVATIONS["sigmoid"], 0.0).slope_square == pytest.approx(1 / 16)
    assert moments(ACTIVATIONS["sigmoid"], inf).square == pytest.approx(0.5)
    assert moments(ACTIVATIONS["gelu"], inf).slope_square == pytest.approx(0.5)
    assert moments(ACTIVATIONS["gelu"], inf).square == inf
    assert moments(ACTIVATIONS["tanh"], inf).slope_square == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("name", ["tanh", "gelu", "relu", "selu", "hardswish", "softsign"])
def test_growth_is_the_derivative_of_the_square(name):
    activation = ACTIVATIONS[name]
    for q in (0.2, 3.0):
        above, below = moments(activation, q * 1.001).square, moments(activation, q * 0.999).square
        assert moments(activation, q).square_growth == pytest.approx((above - below) / (0.002 * q), rel=1e-5)


CORRELATIONS = st.floats(-1, 1)


@given(q=st.floats(1e-3, 50), c=CORRELATIONS)
@settings(max_examples=6, deadline=None)
def test_closed_forms_of_two(q, c):
    def check(name, product, slope_product):
        found = pair_moments(ACTIVATIONS[name], q, c)
        scale = moments(ACTIVATIONS[name], q)
        assert found.product == pytest.approx(product, rel=1e-9, abs=1e-9 * scale.square)
        assert found.slope_product == pytest.approx(slope_product, rel=1e-8, abs=1e-8 * scale.slope_square)

    # Cho and Saul 2009: the arc-cosine kernels.  Williams 1997: the arc-sine kernel.
    root = sqrt(max(0.0, (1 - c) * (1 + c)))
    check("relu", q * (root + c * (pi - acos(c))) / (2 * pi), (pi - acos(c)) / (2 * pi))
    check("erf", 2 / pi * asin(2 * q * c / (1 + 2 * q)), 4 / pi / sqrt((1 + 2 * q) ** 2 - (2 * q * c) ** 2))
    check("square", q**2 * (1 + 2 * c**2), 4 * q * c)
    check("sin", exp(-q) * sinh(q * c), exp(-q) * cosh(q * c))
    check("identity", q * c, 1.0)


@pytest.mark.parametrize("name", ["tanh", "hardtanh", "gelu", "selu"])
@pytest.mark.parametrize("c", [-0.7, 0.2, 0.95])
def test_two_against_a_dense_plane(name, c):
    z, step = np.linspace(-8, 8, 401, retstep=True)
    density = np.exp(-(z**2) / 2) / sqrt(2 * pi) * step
    first, q = z[:, None], 1.7
    other = c * first + sqrt(1 - c**2) * z
    phi = ACTIVATIONS[name].phi
    plane = density @ (phi(sqrt(q) * first) * phi(sqrt(q) * other)) @ density
    found = pair_moments(ACTIVATIONS[name], q, c)
    assert found.product == pytest.approx(plane, rel=1e-10 if name in ("tanh", "gelu") else 1e-3)


def test_two_against_samples():
    draw = np.random.default_rng(0).standard_normal((2, 200_000))
    q, c = 2.3, 0.6
    first, other = sqrt(q) * draw[0], sqrt(q) * (c * draw[0] + sqrt(1 - c**2) * draw[1])
    for name in ("mish", "elu", "hardsigmoid", "softsign"):
        one, found = ACTIVATIONS[name], pair_moments(ACTIVATIONS[name], q, c)
        for products, mean in (
            (one.phi(first) * one.phi(other), found.product),
            (one.derivative(first) * one.derivative(other), found.slope_product),
            ((one.phi(first) - one.phi(other)) ** 2 / 2, found.half_square_difference),
        ):
            assert abs(products.mean() - mean) < 5 * products.std() / sqrt(len(first)), name


@given(name=st.sampled_from(sorted(set(ACTIVATIONS) - {"exp"})), q=st.floats(0.01, 20), c=CORRELATIONS)
@settings(max_examples=15, deadline=None)
def test_what_holds_of_any_two(name, q, c):
    one, equal = ACTIVATIONS[name], pair_moments(ACTIVATIONS[name], q, 1.0)
    square = moments(one, q).square
    assert equal.product == pytest.approx(square, rel=1e-9)
    assert equal.slope_product == pytest.approx(moments(one, q).slope_square, rel=1e-9)
    assert equal.half_square_difference == 0
    found = pair_moments(one, q, c)
    assert abs(found.product) <= square * (1 + 1e-9)
    assert found.product + found.half_square_difference == pytest.approx(square, rel=1e-8)


def test_near_one_no_digits_are_lost():
    # To first order half the squared difference is q(1 - c)E[φ'²].
    for name in ("tanh", "gelu", "relu"):
        one, distance = ACTIVATIONS[name], 1e-9
        found = pair_moments(one, 1.0, 1 - distance).half_square_difference
        assert found == pytest.approx(distance * moments(one, 1.0).slope_square, rel=1e-4)


def test_many_rows_are_each_as_if_alone():
    q = np.array([1e-5, 0.3, 1.0, 1e3, 1e7])
    together = normal_mean(lambda x, _: np.stack([np.tanh(x) ** 2]), np.zeros(5), np.sqrt(q))[0]
    assert together == pytest.approx([dense(lambda x: np.tanh(x) ** 2, each) for each in q[:4]] + [1.0], rel=1e-3)
    alone = [normal_mean(lambda x, _: np.stack([np.tanh(x) ** 2]), np.zeros(1), np.sqrt([each]))[0, 0] for each in q]
    assert together == pytest.approx(alone, rel=1e-12)


def test_a_jump_that_nobody_named():
    found = normal_mean(lambda x, _: np.stack([(x > 0.123).astype(float)]), np.array([-1.0]), np.array([2.0]))
    assert found[0, 0] == pytest.approx(0.5 - 0.5 * erf(1.123 / 2 / sqrt(2)), rel=1e-10)


def test_arguments_out_of_range():
    relu = ACTIVATIONS["relu"]
    for q in (-1.0, float("nan")):
        with pytest.raises(ValueError, match="q must be 0 or more"):
            moments(relu, q)
    for q in (0.0, inf):
        with pytest.raises(ValueError, match="positive and finite"):
            pair_moments(relu, q, 0.5)
    for c in (-1.01, 1.01, float("nan")):
        with pytest.raises(ValueError, match="correlation is between"):
            pair_moments(relu, 1.0, c)
