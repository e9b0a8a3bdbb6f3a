from __future__ import annotations

import numpy as np
import pytest

from gradclinic.measure.meanfield import log_norm


def test_the_papers_numbers():
    hundred, fifty = log_norm([100] * 20), log_norm([50] * 20)
    assert (hundred.mean, hundred.variance) == (pytest.approx(-0.5), pytest.approx(1.0))
    assert (fifty.mean, fifty.variance) == (pytest.approx(-1.0), pytest.approx(2.0))
    # Measured over many draws.
    assert hundred.mean == pytest.approx(-0.53, abs=0.04)
    assert (hundred.variance, fifty.variance) == (pytest.approx(1.06, rel=0.1), pytest.approx(2.16, rel=0.1))
    assert log_norm([]).variance == 0


@pytest.mark.parametrize(("share", "kurtosis"), [(0.5, 2.0), (1.0, 1.0)])
def test_against_products_of_random_layers(share, kurtosis):
    """A Gaussian layer followed by slopes that are 1 with the chance ``share``: ReLU's, and a linear one's."""
    random, widths = np.random.default_rng(0), [30, 60, 40, 50]
    logs = []
    for _ in range(1000):
        vector = np.ones(20) / np.sqrt(20)
        for width in widths:
            weights = random.standard_normal((width, len(vector))) / np.sqrt(share * width)
            vector = (random.random(width) < share) * (weights @ vector)
        logs.append(np.log(vector @ vector))
    found = log_norm(widths, kurtosis)
    assert np.mean(logs) == pytest.approx(found.mean, rel=0.2)
    assert np.var(logs) == pytest.approx(found.variance, rel=0.2)


def test_arguments_out_of_range():
    with pytest.raises(ValueError, match="at least 1, not 0"):
        log_norm([10, 0])
    with pytest.raises(ValueError, match="is at least 1"):
        log_norm([10], 0.5)
