"""Finite networks, against real ones."""

from __future__ import annotations

from math import inf, log, log10, sqrt

import numpy as np
import pytest

from gradclinic.measure.meanfield import ACTIVATIONS, q_star, regime, trajectory

TANH, RELU, SIGMOID, GELU = (ACTIVATIONS[name] for name in ("tanh", "relu", "sigmoid", "gelu"))


def test_relu_by_hand():
    found = trajectory(RELU, sqrt(2), depth=4, q0=3.0)
    assert found.q == pytest.approx((6.0, 6.0, 6.0, 6.0))
    assert found.chi == pytest.approx((1.0, 1.0, 1.0))
    assert found.decades == pytest.approx(0, abs=1e-12)
    found = trajectory(RELU, [1.0, 2.0, 3.0], [0.0, 1.0, 0.5], q0=2.0)
    assert found.q == pytest.approx((2.0, 4 * 1.0 + 1, 9 * 2.5 + 0.25))
    assert found.chi == pytest.approx((2.0, 4.5))
    assert found.decades == pytest.approx(log10(9) / 2)


# Measured over 30 layers of width 256, in natural logarithms.
@pytest.mark.parametrize(("phi", "gain", "total"), [(SIGMOID, 1.0, -43.46), (TANH, 5.0, 15.84), (RELU, 1.0, -10.51)])
def test_measured_totals(phi, gain, total):
    assert trajectory(phi, gain, depth=31).decades * log(10) == pytest.approx(total, rel=0.03)


def test_a_deep_one_reaches_the_fixed_point():
    found = trajectory(TANH, 1.4, 0.3, depth=120, q0=9.0)
    assert found.q[-1] == pytest.approx(q_star(TANH, 1.4, 0.3).q, rel=1e-7)
    assert found.chi[-1] == pytest.approx(regime(TANH, 1.4, 0.3).chi, rel=1e-7)


def test_layers_that_differ_against_real_networks():
    phis = [TANH, GELU, RELU, SIGMOID, TANH, RELU]
    sigma_w, sigma_b = [1.2, 1.5, 1.1, 1.6, 3.0, 1.0, 1.4], [0.0, 0.1, 0.3, 0.0, 0.2, 0.1, 0.0]
    width, random = 300, np.random.default_rng(0)
    lengths, ratios = [], []
    for _ in range(12):
        signal, weights, seen = random.standard_normal(width), [], []
        signal *= sqrt(1.7) / sqrt(np.mean(signal**2))
        for layer, (scale, bias) in enumerate(zip(sigma_w, sigma_b, strict=True)):
            weights.append(random.standard_normal((width, width)) * scale / sqrt(width))
            seen.append(weights[-1] @ signal + bias * random.standard_normal(width))
            signal = phis[layer].phi(seen[-1]) if layer < len(phis) else signal
        delta = random.standard_normal(width)
        norms = [np.sum(delta**2)]
        for layer in reversed(range(len(phis))):
            delta = phis[layer].derivative(seen[layer]) * (weights[layer + 1].T @ delta)
            norms.append(np.sum(delta**2))
        lengths.append([np.mean(h**2) for h in seen])
        ratios.append(norms[-1] / norms[0])
    found = trajectory(phis, sigma_w, sigma_b, q0=1.7)
    np.testing.assert_allclose(np.mean(lengths, axis=0), found.q, rtol=0.08)
    # ln scatters by about √(5·6/300) = 0.3, over 12 draws by 0.09: four of those, in decades of the norm.
    assert log10(np.mean(ratios)) / 2 == pytest.approx(found.decades, abs=0.08)


def test_shapes_that_are_given_in_every_way():
    one = trajectory(TANH, 1.3, 0.1, depth=5)
    assert trajectory([TANH] * 4, 1.3, 0.1) == one
    assert trajectory(TANH, np.full(5, 1.3), 0.1) == one
    assert trajectory(TANH, np.float32(2.0), [0.0] * 5) == trajectory(TANH, 2.0, depth=5)
    assert trajectory(TANH, 2.0, depth=1).chi == ()
    assert trajectory(TANH, 2.0, depth=1).decades == 0


def test_extremes():
    assert trajectory(RELU, [1.0, 0.0, 1.0]).decades == -inf
    dying = trajectory(RELU, 0.16, depth=120)  # weights N(0, 0.01) at width 256: q far below 1e-200
    assert dying.decades == pytest.approx(119 * log10(0.16**2 / 2) / 2)
    blown = trajectory(RELU, 1e5, depth=60)
    assert blown.q[-1] == inf
    assert blown.decades == pytest.approx(59 * log10(1e10 / 2) / 2)
    assert trajectory(ACTIVATIONS["exp"], 2.0, depth=9).decades == inf


def test_arguments_out_of_range():
    with pytest.raises(ValueError, match="depth is missing"):
        trajectory(TANH, 1.0)
    with pytest.raises(ValueError, match="at least 1"):
        trajectory(TANH, 1.0, depth=0)
    with pytest.raises(ValueError, match="as many sigma_b"):
        trajectory(TANH, [1.0, 1.0], [0.0, 0.0, 0.0])
    with pytest.raises(ValueError, match="as many activation"):
        trajectory([TANH], 1.0, depth=5)
    with pytest.raises(ValueError, match="sigma_w must be"):
        trajectory(TANH, [1.0, -1.0])
    with pytest.raises(ValueError, match="sigma_b must be"):
        trajectory(TANH, 1.0, -0.1, depth=3)
    with pytest.raises(ValueError, match="q0 must be"):
        trajectory(TANH, 1.0, depth=3, q0=-1.0)
