"""Fixed points of the length, against iteration and closed forms."""

from __future__ import annotations

from math import asin, e, inf, pi, sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradclinic.measure.meanfield import ACTIVATIONS, Length, chi, edge_of_chaos, leaky_relu, length_map, q_star

TANH, RELU, GELU = ACTIVATIONS["tanh"], ACTIVATIONS["relu"], ACTIVATIONS["gelu"]


def iterated(activation, sigma_w, sigma_b, q=1.0, layers=3000):
    for _ in range(layers):
        following = length_map(activation, sigma_w, sigma_b, q)
        if following == q:
            break
        q = following
    return q


def test_one_layer():
    assert length_map(RELU, 2.0, 0.5, 3.0) == pytest.approx(4 * 1.5 + 0.25)
    assert length_map(ACTIVATIONS["erf"], 1.5, 0.1, 0.8) == pytest.approx(2.25 * 2 / pi * asin(1.6 / 2.6) + 0.01)
    assert chi(RELU, 2.0, 7.0) == pytest.approx(2.0)
    assert chi(leaky_relu(0.5), 1.0, 0.0) == pytest.approx(0.625)


@pytest.mark.parametrize(
    ("name", "sigma_w", "sigma_b"),
    [
        ("tanh", 1.5, 0.0),
        ("tanh", 0.9, 0.2),
        ("sigmoid", 1.0, 0.0),
        ("selu", 1.0, 0.3),
        ("gelu", 1.2, 0.4),
        ("hardtanh", 3.0, 0.1),
        ("relu", 1.3, 0.3),
        ("softplus", 0.8, 0.0),
        ("sin", 2.0, 0.1),
    ],
)
def test_it_is_where_the_iteration_ends(name, sigma_w, sigma_b):
    found = q_star(ACTIVATIONS[name], sigma_w, sigma_b)
    assert found.state == "fixed"
    assert found.q == pytest.approx(iterated(ACTIVATIONS[name], sigma_w, sigma_b, layers=100), rel=1e-6)
    assert length_map(ACTIVATIONS[name], sigma_w, sigma_b, found.q) == pytest.approx(found.q, rel=1e-10)


@given(
    name=st.sampled_from(["tanh", "relu", "gelu", "selu", "sigmoid", "softsign", "hardswish"]),
    sigma_w=st.floats(0.1, 4),
    sigma_b=st.floats(0, 2),
    q0=st.floats(1e-3, 1e3),
)
@settings(max_examples=15, deadline=None)
def test_a_fixed_point_is_fixed_and_lies_the_way_of_the_first_step(name, sigma_w, sigma_b, q0):
    activation = ACTIVATIONS[name]
    found = q_star(activation, sigma_w, sigma_b, q0)
    if found.state == "fixed":
        assert length_map(activation, sigma_w, sigma_b, found.q) == pytest.approx(found.q, rel=1e-7)
    step = length_map(activation, sigma_w, sigma_b, q0) - q0
    assert step * (found.q - q0) >= 0


def test_relu_in_all_its_states():
    assert q_star(RELU, sqrt(2), 0.0, q0=0.7) == Length(0.7, "neutral")
    assert q_star(RELU, sqrt(2), 0.1) == Length(inf, "diverges")
    assert q_star(RELU, 1.5, 0.0) == Length(inf, "diverges")
    assert q_star(RELU, 1.4, 0.0) == Length(0.0, "vanishes")
    found = q_star(RELU, 1.2, 0.5)
    assert (found.state, found.q) == ("fixed", pytest.approx(0.25 / (1 - 0.72)))
    # Slowly: 1e-4 per layer.
    assert q_star(RELU, sqrt(2 * (1 + 1e-4)), 0.0) == Length(inf, "diverges")
    assert q_star(RELU, sqrt(2 * (1 - 1e-4)), 1.0).q == pytest.approx(1e4)


def test_a_length_that_vanishes():
    assert q_star(TANH, 1.0, 0.0) == Length(0.0, "vanishes")  # critical: like 1/depth
    assert q_star(TANH, 0.6, 0.0) == Length(0.0, "vanishes")
    assert q_star(TANH, 1.0001, 0.0).q == pytest.approx(1e-4, rel=0.01)  # (σ_w² - 1)/2
    assert q_star(TANH, 0.0, 0.3) == Length(0.09, "fixed")
    assert q_star(TANH, 0.0, 0.0) == Length(0.0, "vanishes")


def test_two_fixed_points_that_meet():
    # exp: q = σ_w² e^{2q} touches at q = 1/2 where σ_w² = 1/2e; above it nothing is fixed, below it the lower attracts.
    exponential = ACTIVATIONS["exp"]
    touching = sqrt(1 / (2 * e))
    assert q_star(exponential, touching, 0.0, q0=0.1).q == pytest.approx(0.5, rel=1e-3)
    assert q_star(exponential, touching * 1.001, 0.0, q0=0.1).state == "diverges"
    below = q_star(exponential, touching * (1 - 1e-6), 0.0, q0=0.1)  # 0.2 % apart
    assert below.q == pytest.approx(0.5 - 1e-3, abs=2e-5)
    assert q_star(exponential, touching * 0.999, 0.0, q0=0.8).state == "diverges"


def test_a_half_stable_point_holds_from_its_stable_side():
    edge = edge_of_chaos(GELU)
    assert q_star(GELU, edge.sigma_w, edge.sigma_b, q0=20.0).q == pytest.approx(edge.q, rel=0.02)


@pytest.mark.parametrize(
    "bad", [(-1.0, 0.0, 1.0), (1.0, -0.1, 1.0), (1.0, 0.0, 0.0), (1.0, 0.0, inf), (1.0, 0.0, -2.0)]
)
def test_arguments_out_of_range(bad):
    with pytest.raises(ValueError, match=r"(sigma_w|sigma_b|q0) must"):
        q_star(TANH, *bad)
    with pytest.raises(ValueError, match="sigma_w must"):
        chi(TANH, -1.0, 1.0)
    with pytest.raises(ValueError, match="q must"):
        length_map(TANH, 1.0, 0.0, -1.0)
