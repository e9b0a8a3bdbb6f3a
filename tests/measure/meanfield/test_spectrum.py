from __future__ import annotations

from math import e

import numpy as np
import pytest

from gradclinic.measure.meanfield import (
    ACTIVATIONS,
    Activation,
    largest_squared_singular_value,
    squared_singular_variance,
)

LINEAR, RELU, TANH = ACTIVATIONS["identity"], ACTIVATIONS["relu"], ACTIVATIONS["tanh"]


def test_the_papers_numbers():
    assert squared_singular_variance(LINEAR, 1.0, 8) == pytest.approx(8)
    assert squared_singular_variance(LINEAR, 1.0, 8, "orthogonal") == pytest.approx(0, abs=1e-12)
    assert squared_singular_variance(RELU, 1.0, 8) == pytest.approx(16)
    assert squared_singular_variance(RELU, 1.0, 8, "orthogonal") == pytest.approx(8)
    # tanh comes near isometry as its length shrinks: μ₂/μ₁² - 1 = Var[φ'²]/μ₁² = 8q² + ...
    assert squared_singular_variance(TANH, 1e-3, 100, "orthogonal") == pytest.approx(100 * 8e-6, rel=0.02)


def test_measured_spectra():
    # At 400 units: 7.92, 15.3, 8.5.
    assert squared_singular_variance(LINEAR, 1.0, 8) == pytest.approx(7.92, rel=0.07)
    assert squared_singular_variance(RELU, 1.0, 8) == pytest.approx(15.3, rel=0.07)
    assert squared_singular_variance(RELU, 1.0, 8, "orthogonal") == pytest.approx(8.5, rel=0.07)


def test_largest():
    assert largest_squared_singular_value(8) == pytest.approx(9**9 / 8**8)
    assert largest_squared_singular_value(8) == pytest.approx(23.1, abs=0.05)
    assert largest_squared_singular_value(1) == pytest.approx(4)  # Marchenko and Pastur
    assert largest_squared_singular_value(0) == 1
    assert largest_squared_singular_value(1000) == pytest.approx(e * 1000.5, rel=1e-3)


@pytest.mark.parametrize("ensemble", ["gaussian", "orthogonal"])
def test_against_a_real_product(ensemble):
    random, width, depth = np.random.default_rng(0), 250, 3
    jacobian = np.eye(width)
    for _ in range(depth):
        weights = random.standard_normal((width, width))
        weights = np.linalg.qr(weights)[0] if ensemble == "orthogonal" else weights / np.sqrt(width)
        slopes = TANH.derivative(2 * random.standard_normal(width))
        jacobian = slopes[:, None] * (weights @ jacobian)
    squared = np.linalg.svd(jacobian, compute_uv=False) ** 2
    found = squared_singular_variance(TANH, 4.0, depth, ensemble)
    assert np.var(squared) / np.mean(squared) ** 2 == pytest.approx(found, rel=0.25)


def test_arguments_out_of_range():
    with pytest.raises(ValueError, match="ensemble must be one of"):
        squared_singular_variance(RELU, 1.0, 3, "uniform")
    for depth in (-1, -5):
        with pytest.raises(ValueError, match="depth must be"):
            squared_singular_variance(RELU, 1.0, depth)
        with pytest.raises(ValueError, match="depth must be"):
            largest_squared_singular_value(depth)
    with pytest.raises(ValueError, match="has no slope"):
        squared_singular_variance(Activation.of(np.ones_like, np.zeros_like), 1.0, 3)
    with pytest.raises(ValueError, match="q must be"):
        squared_singular_variance(RELU, -1.0, 3)
