"""c*, ξ, ξ_c and the phase."""

from __future__ import annotations

from math import acos, asin, exp, inf, isnan, log, nan, pi, sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradclinic.measure.meanfield import (
    ACTIVATIONS,
    c_star,
    chi,
    correlation_depth_scale,
    correlation_map,
    critical_sigma_w,
    depth_scale,
    phase,
    q_star,
    regime,
)

TANH, RELU, ERF = ACTIVATIONS["tanh"], ACTIVATIONS["relu"], ACTIVATIONS["erf"]


# σ_w² in steps of 9/49, which the source of these numbers printed to four decimals.
@pytest.mark.parametrize(("steps", "layers"), [(0, 3.627), (1, 5.696), (2, 9.628), (3, 20.20)])
def test_published_correlation_depth_scales_of_tanh(steps, layers):
    sigma_w = sqrt(1 + steps * 9 / 49)
    assert correlation_depth_scale(TANH, sigma_w, sqrt(0.05)) == pytest.approx(layers, rel=2e-4)


@pytest.mark.parametrize(
    ("name", "variance", "ratio"),
    [
        ("relu", 1 / 3, 0.4082),  # torch.nn.Linear's default, U(±1/√n)
        ("tanh", 1 / 3, 0.5774),
        ("sigmoid", 1 / 3, 0.141),
        ("sigmoid", 1.0, 0.2361),  # Xavier
        ("relu", 1.0, 0.7071),
    ],
)
def test_gradient_ratio_of_common_initialisations(name, variance, ratio):
    found = regime(ACTIVATIONS[name], sqrt(variance), 0.0)
    assert sqrt(found.chi) == pytest.approx(ratio, abs=10.0 ** -len(str(ratio).partition(".")[2]) * 0.51)
    assert found.phase == "ordered"


def test_gains_that_do_not_fit():
    for name in ("gelu", "silu"):  # ReLU's gain, no bias: it vanishes
        found = regime(ACTIVATIONS[name], sqrt(2), 0.0)
        assert (found.chi, found.state, found.phase) == (pytest.approx(0.5), "vanishes", "ordered")
    found = regime(TANH, 5 / 3, 0.0)
    assert (found.chi, found.phase) == (pytest.approx(1.210, abs=5e-4), "chaotic")
    # SELU at σ_w = 1 keeps the length 1.  λ²(1/2 + α² e² Φ(-2)), by hand.
    found = regime(ACTIVATIONS["selu"], 1.0, 0.0)
    assert found.q == pytest.approx(1.0, rel=1e-12)
    assert found.chi == pytest.approx(1.0715749925, rel=1e-9)
    assert found.chi == pytest.approx(1.0718, abs=3e-4)  # as measured


def test_the_map_of_relu():
    for c in (-0.6, 0.0, 0.5, 0.99):
        arc_cosine = (sqrt(1 - c**2) + c * (pi - acos(c))) / pi
        assert correlation_map(RELU, 1.1, 0.0, 0.4, c) == pytest.approx(arc_cosine, rel=1e-10)
    assert correlation_map(RELU, 1.0, 0.5, 0.5, 0.0) == pytest.approx((0.5 / (2 * pi) + 0.25) / 0.5)


def test_c_star_of_erf_against_its_closed_form():
    sigma_w, sigma_b = 2.0, 0.3
    q = q_star(ERF, sigma_w, sigma_b).q
    c = 0.5
    for _ in range(2000):
        c = (sigma_w**2 * 2 / pi * asin(2 * q * c / (1 + 2 * q)) + sigma_b**2) / q
    found = regime(ERF, sigma_w, sigma_b)
    slope = sigma_w**2 * 4 / pi / sqrt((1 + 2 * q) ** 2 - (2 * q * c) ** 2)
    assert found.phase == "chaotic"
    assert found.c == pytest.approx(c, abs=1e-9)
    assert found.chi_c == pytest.approx(slope, rel=1e-8)
    assert found.correlation_depth_scale == pytest.approx(-1 / log(slope), rel=1e-7)
    assert found.depth_scale < 0


@pytest.mark.parametrize(
    ("name", "sigma_w", "sigma_b", "start"),
    [("tanh", 3.0, 0.5, 0.0), ("tanh", 3.0, 0.5, 0.95), ("hardtanh", 3.0, 0.5, 0.0)],
)
def test_iteration_from_above_and_below_ends_there(name, sigma_w, sigma_b, start):
    activation, c = ACTIVATIONS[name], start
    found = regime(activation, sigma_w, sigma_b)
    for _ in range(50 if name == "tanh" else 25):  # ξ_c is 5 layers
        c = correlation_map(activation, sigma_w, sigma_b, found.q, c)
    assert 0.05 < found.c < 0.9
    assert c == pytest.approx(found.c, abs=2e-3)


@given(
    name=st.sampled_from(["tanh", "hardtanh", "selu", "erf", "softsign"]),
    sigma_w=st.floats(0.8, 3),
    sigma_b=st.floats(0.01, 1),
)
@settings(max_examples=5, deadline=None)
def test_c_star_is_fixed_and_attracts(name, sigma_w, sigma_b):
    activation = ACTIVATIONS[name]
    found = regime(activation, sigma_w, sigma_b)
    assert 0 <= found.c <= 1
    if found.state == "fixed":
        mapped = correlation_map(activation, sigma_w, sigma_b, found.q, found.c)
        assert mapped == pytest.approx(found.c, abs=1e-9)
        assert found.chi_c <= 1 + 1e-9
        assert (found.c == 1) == (found.chi <= 1 + 1e-9)


@given(name=st.sampled_from(sorted(set(ACTIVATIONS) - {"exp"})), sigma_w=st.floats(0.1, 3), q=st.floats(0.01, 20))
@settings(max_examples=20, deadline=None)
def test_equal_inputs_stay_equal_and_chi_is_homogeneous(name, sigma_w, q):
    activation = ACTIVATIONS[name]
    assert correlation_map(activation, sigma_w, 0.2, q, 1.0) == pytest.approx(1.0, rel=1e-9)
    assert chi(activation, 2 * sigma_w, q) == pytest.approx(4 * chi(activation, sigma_w, q), rel=1e-12)


@pytest.mark.parametrize(("name", "excess"), [("tanh", 1e-3), ("tanh", 1e-5), ("hardtanh", 1e-3)])
def test_c_star_just_beyond_critical(name, excess):
    activation, sigma_b = ACTIVATIONS[name], sqrt(0.05)
    edge = critical_sigma_w(activation, sigma_b).sigma_w
    below, above = regime(activation, edge * (1 - excess), sigma_b), regime(activation, edge * (1 + excess), sigma_b)
    assert below.c == 1
    assert 1e-12 < 1 - above.c < 5 * excess
    # Smooth: χ - 1 and 1 - χ_c are equal to first order, as for any transcritical crossing; kinked: χ_c - 1 is half.
    share = 0.5 if activation.breakpoints else 1.0
    assert (1 - above.chi_c) / (above.chi - 1) == pytest.approx(share, rel=0.02)


def test_without_a_bias_an_odd_function_makes_inputs_orthogonal():
    assert c_star(TANH, 1.5, 0.0) == 0
    assert c_star(ACTIVATIONS["selu"], 1.0, 0.0) == pytest.approx(0, abs=1e-9)  # zero mean is its fixed point


def test_lengths_without_a_fixed_point():
    for sigma_w in (1.0, sqrt(2), 3.0):  # ReLU makes all inputs alike whatever σ_w is, but slower than exponentially
        assert regime(RELU, sigma_w, 0.0).c == 1
        assert correlation_depth_scale(RELU, sigma_w, 0.0) == inf
    assert regime(ACTIVATIONS["elu"], 2.0, 0.1).c == 1
    assert c_star(ACTIVATIONS["square"], 1.0, 0.0) == pytest.approx(0.5)  # (1 + 2c²)/3
    assert isnan(c_star(ACTIVATIONS["exp"], 1.0, 0.0))
    assert isnan(correlation_depth_scale(ACTIVATIONS["exp"], 1.0, 0.0))
    assert isnan(c_star(TANH, 0.0, 0.0))
    assert c_star(TANH, 0.0, 0.5) == 1
    assert isnan(correlation_map(TANH, 0.0, 0.0, 1.0, 0.5))


def test_depth_scale_and_phase():
    assert depth_scale(exp(-0.1)) == pytest.approx(10)
    assert depth_scale(exp(0.2)) == pytest.approx(-5)
    assert depth_scale(1.0) == inf
    assert depth_scale(0.0) == 0
    assert isnan(depth_scale(nan))
    assert [phase(value) for value in (0.0, 0.9999, 1 + 1e-9, 1.0001, inf)] == [
        "ordered",
        "ordered",
        "critical",
        "chaotic",
        "chaotic",
    ]
    with pytest.raises(ValueError, match="chi must be"):
        depth_scale(-1.0)
    with pytest.raises(ValueError, match="sigma_w must be"):
        regime(TANH, -1.0, 0.0)
