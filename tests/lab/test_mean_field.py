"""Against the numbers of docs and papers that were worked out elsewhere."""

import pytest

from gradclinic.lab.mean_field import correlation_depth, gradient_factor


@pytest.mark.parametrize(("weight", "expected"), [(1.0, 3.627), (1.1837, 5.696), (1.3673, 9.628), (1.551, 20.20)])
def test_the_depth_scale_of_tanh_at_a_bias_variance_of_a_twentieth(weight, expected):
    assert correlation_depth(weight, 0.05) == pytest.approx(expected, rel=2e-3)


@pytest.mark.parametrize(("weight", "bias"), [(1.76095, 0.05), (1.42421, 0.01)])
def test_at_criticality_the_gradient_keeps_its_size(weight, bias):
    assert gradient_factor(weight, bias) == pytest.approx(1, abs=1e-4)
