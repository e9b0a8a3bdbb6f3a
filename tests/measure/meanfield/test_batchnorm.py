from __future__ import annotations

from math import pi, sqrt

import numpy as np
import pytest

from gradclinic.measure.meanfield import batchnorm_growth


def test_the_limit_of_a_large_batch():
    assert batchnorm_growth() == pytest.approx(pi / (pi - 1))
    assert batchnorm_growth() == pytest.approx(1.4669, abs=5e-5)
    assert sqrt(batchnorm_growth()) == pytest.approx(1.2111, abs=1e-4)
    assert batchnorm_growth(10**7) == pytest.approx(batchnorm_growth(), rel=1e-6)


# Measured in networks some hundred units wide.
@pytest.mark.parametrize(("batch", "low", "high"), [(8, 1.745, 1.763), (32, 1.513, 1.535), (128, 1.466, 1.476)])
def test_measured_growth(batch, low, high):
    assert low * 0.99 <= batchnorm_growth(batch) <= high * 1.02


@pytest.mark.parametrize("batch", [6, 8, 20])
def test_one_layer_against_its_jacobian(batch):
    """One channel: the gradient's covariance is that of centred noise on both sides, which the layer only scales."""
    random, draws = np.random.default_rng(batch), 60_000
    centred = np.eye(batch) - 1 / batch
    # Preactivations of a channel: what the weights make of the ReLU's outputs at the fixed point, by sampling.
    normal = random.standard_normal((draws, batch)) @ centred
    values = normal / np.sqrt(np.mean(normal**2, axis=1, keepdims=True))
    out = np.maximum(values, 0)
    spread = np.mean(np.sum((out @ centred) ** 2, axis=1)) / (batch - 1)
    noise = random.standard_normal((draws, batch)) @ centred
    standard_deviation = np.sqrt(spread * np.mean(normal**2, axis=1, keepdims=True))
    gated = noise * (values > 0)
    back = gated - gated.mean(1, keepdims=True) - values * np.mean(gated * values, axis=1, keepdims=True)
    growth = np.sum((back / standard_deviation) ** 2, axis=1) / (batch - 1)
    assert growth.mean() == pytest.approx(batchnorm_growth(batch), abs=5 * growth.std() / sqrt(draws))


def test_a_real_network():
    random, batch, width, layers = np.random.default_rng(0), 8, 500, 14
    signal, seen = random.standard_normal((batch, width)), []
    for _ in range(layers):
        weights = random.standard_normal((width, width)) / sqrt(width)
        h = signal @ weights
        values = (h - h.mean(0)) / h.std(0)
        signal = np.maximum(values, 0)
        seen.append((weights, h.std(0), values))
    gradient, norms = random.standard_normal((batch, width)), []
    for weights, deviation, values in reversed(seen):
        gradient = gradient * (values > 0)
        gradient = (gradient - gradient.mean(0) - values * (gradient * values).mean(0)) / deviation
        norms.append(np.sum(gradient**2))
        gradient = gradient @ weights.T
    # The first layer has no ReLU below it.
    assert (norms[-2] / norms[2]) ** (1 / (layers - 4)) == pytest.approx(batchnorm_growth(batch), rel=0.04)


def test_a_batch_too_small():
    with pytest.raises(ValueError, match="below a batch of 4"):
        batchnorm_growth(3)
