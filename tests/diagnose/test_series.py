"""Robust statistics of a loss curve, against what they estimate."""

from __future__ import annotations

import numpy as np
import pytest

from gradclinic.diagnose.series import alternation, median_error, noise, window_medians, window_size


def test_noise_is_that_of_one_value_and_a_trend_is_none():
    jitter = np.random.default_rng(0).normal(0, 0.3, 5000)
    assert noise(jitter) == pytest.approx(0.3, rel=0.05)
    assert noise(jitter + np.linspace(100, 0, 5000)) == pytest.approx(0.3, rel=0.05)
    assert noise(np.linspace(3, 1, 50)) == pytest.approx(0, abs=1e-12)
    assert noise(np.array([1.0, 2.0])) == 0


def test_one_outlier_hardly_moves_the_noise():
    jitter = np.random.default_rng(0).normal(0, 0.3, 500)
    jitter[250] = 1e6
    assert noise(jitter) == pytest.approx(0.3, rel=0.15)


def test_windows_end_with_the_series():
    values = np.arange(53.0)
    assert window_size(53) == 5
    assert window_medians(values)[-1] == 50
    assert len(window_medians(values)) == 10
    assert len(window_medians(np.zeros(0))) == 0


def test_the_error_of_a_median_is_that_of_many_medians():
    draws = np.median(np.random.default_rng(0).normal(0, 2, (4000, 25)), axis=1)
    assert median_error(2.0, 25) == pytest.approx(draws.std(), rel=0.05)


def test_alternation_tells_an_orbit_from_noise_and_from_a_trend():
    sign = np.where(np.arange(64) % 2, 1.0, -1.0)
    assert alternation(sign + np.linspace(5, 0, 64)) < -0.9
    assert abs(alternation(np.random.default_rng(0).normal(size=64))) < 0.4
    assert alternation(np.exp(-np.arange(64) / 10)) > 0
