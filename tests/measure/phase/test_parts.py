"""Weights, borders and names, each against a twin that does it the long way."""

from __future__ import annotations

from math import sqrt

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from gradclinic.measure.meanfield import ACTIVATIONS
from gradclinic.measure.phase.names import matched
from gradclinic.measure.phase.padding import kept, windows
from gradclinic.measure.phase.weights import isometry, weights


@settings(max_examples=50, deadline=None)
@given(
    st.integers(4, 12),
    st.integers(4, 12),
    st.lists(st.tuples(st.sampled_from([1, 3]), st.integers(1, 2), st.integers(0, 2)), min_size=1, max_size=4),
)
def test_border_against_a_convolution_of_the_mean_square(height, wide, layers):
    """q of a layer is the mean over the window of the q below, with zeros outside: a convolution with ones."""
    profile = torch.ones(1, 1, height, wide, dtype=torch.float64)
    seen, expected = [], []
    for kernel, stride, padding in layers:
        if min(profile.shape[2:]) + 2 * padding < kernel:
            break
        following = F.conv2d(
            profile, torch.full((1, 1, kernel, kernel), 1 / kernel**2).double(), stride=stride, padding=padding
        )
        seen.append(windows(profile.shape[2:], [kernel] * 2, [stride] * 2, [padding] * 2, [1] * 2, following.shape[2:]))
        expected.append(float(following.mean() / profile.mean()))
        profile = following
        if not float(profile.mean()) > 0:
            break
    assert kept(seen) == pytest.approx(expected)


def test_border_begins_anew_where_the_size_changes():
    layer = windows([8], [3], [1], "same", [1], [8])
    after = windows([4], [3], [1], "same", [1], [4])
    assert kept([layer, layer, after]) == pytest.approx([22 / 24, kept([layer, layer])[1], 10 / 12])
    assert kept([(), layer, ()]) == pytest.approx([1, 22 / 24, 1])


@settings(max_examples=30, deadline=None)
@given(st.integers(8, 40), st.integers(8, 40), st.integers(0, 2**31))
def test_isometry_against_singular_values(rows, columns, seed):
    matrix = torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    squares = torch.linalg.svdvals(matrix).square()
    ratio = max(rows, columns) / min(rows, columns)
    expected = float(squares.var(correction=0) / squares.mean() ** 2) * ratio
    assert isometry(matrix) == pytest.approx(expected, rel=1e-9)


def test_isometry_of_known_ensembles():
    generator = torch.Generator().manual_seed(0)
    assert isometry(torch.randn(600, 900, generator=generator)) == pytest.approx(1, abs=0.02)
    assert isometry(torch.rand(300, 300, generator=generator) - 0.5) == pytest.approx(1, abs=0.03)
    assert isometry(nn.init.orthogonal_(torch.empty(700, 700), generator=generator)) == pytest.approx(0, abs=1e-4)
    assert isometry(torch.ones(20, 30)) == pytest.approx(30 * 19 / 20)
    assert isometry(torch.zeros(20, 20)) is None
    assert isometry(torch.randn(4, 100)) is None


def test_weights_of_a_linear_layer_and_a_grouped_convolution():
    layer = nn.Linear(400, 300)
    found = weights(layer.weight, layer.bias)
    assert (found.fan_in, found.count) == (400, 120_000)
    assert found.square == pytest.approx(1 / 3, rel=0.01)  # U(±1/√n)
    assert found.bias_square == pytest.approx(1 / 1200, rel=0.2)
    conv = nn.Conv2d(32, 64, 3, groups=4)
    nn.init.normal_(conv.weight, 0, sqrt(2 / 72))
    assert weights(conv.weight, None, 4).fan_in == 72
    assert weights(conv.weight, None, 4).square == pytest.approx(2, rel=0.05)


@pytest.mark.parametrize("name", [name for name in ACTIVATIONS if name != "celu"])
def test_every_activation_but_celu_which_is_elu_at_1_is_told_from_the_others(name):
    x = 3 * torch.randn(512, generator=torch.Generator().manual_seed(0))
    made = torch.from_numpy(ACTIVATIONS[name].phi(x.double().numpy())).float()
    found = matched(x, made)
    assert found is not None
    assert found.name == name


def test_no_activation_is_seen_where_there_is_none():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(64, generator=generator)
    assert matched(x, torch.randn(64, generator=generator)) is None
    assert matched(x, 1.01 * x) is None
    assert matched(x[:4], x[:4]) is None
    assert matched(torch.zeros(64), torch.zeros(64)) is None
    assert matched(x, torch.full((64,), float("nan"))) is None
