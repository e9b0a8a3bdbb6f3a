import math

import numpy as np
import pytest

from gradclinic.cure.guard.norms import IN_A_ROW, WARM_UP, RunningNorm


def settled(values=(0.9, 1.1)):
    """Mean 1.0 and deviation 0.1 over the warm-up (an even number of values is dropped to one mean)."""
    norms = RunningNorm()
    for step in range(WARM_UP):
        assert norms.take(values[step % 2]) is None
    return norms


def test_a_spike_is_clipped_to_zclips_reciprocal_limit():
    norms = settled()
    mean, deviation = norms.mean, math.sqrt(norms.variance)
    assert mean == pytest.approx((13 * 0.9 + 12 * 1.1) / 25)
    spike = norms.take(11.0)
    z = (11.0 - mean) / deviation
    assert spike.z == pytest.approx(z)
    assert spike.limit == pytest.approx(mean + 2.5 / (z / 2.5) * deviation)  # the paper's mean + (z_thresh·σ)/η
    assert norms.mean < 1.01  # it learns the clipped norm, not the spike


def test_nothing_is_a_spike_during_the_warm_up():
    norms = RunningNorm()
    assert [norms.take(10.0**step) for step in range(WARM_UP)] == [None] * WARM_UP


def test_noise_of_a_factor_of_three_is_left_alone_however_steady_the_norm_was():
    norms = settled((1.0, 1.0))
    assert norms.take(3.0) is None  # its z-score is infinite
    assert settled((1.0, 1.0)).take(4.1) is not None


def test_a_wide_spread_needs_a_z_score_too():
    norms = RunningNorm()
    for norm in [1.0] * 20 + [30.0] * 5:
        norms.take(norm)
    assert norms.take(29.0 + 2.4 * math.sqrt(norms.variance) - 22.2) is None  # 4.2 times the mean of 6.8, and z < 2.5
    assert norms.take(1e4) is not None


def test_a_level_that_stays_is_accepted():
    norms = settled()
    clipped = [norms.take(50.0) is not None for _ in range(IN_A_ROW + 30)]
    assert clipped == [True] * IN_A_ROW + [False] * 30
    assert norms.mean == pytest.approx(50.0)


def test_log_normal_norms_are_left_alone():
    draws = np.exp(np.random.default_rng(0).standard_normal(20_000))
    norms = RunningNorm()
    assert max(draws) > 20 * draws.mean()
    assert not any(norms.take(float(norm)) for norm in draws)
    assert norms.take(1e4) is not None


def test_gradients_of_exactly_zero_do_not_make_the_next_one_a_spike():
    norms = settled((0.0, 0.0))
    assert norms.take(1.0) is None
