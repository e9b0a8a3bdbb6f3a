"""The numbers, against the papers' and those measured apart (shared reference numbers)."""

from __future__ import annotations

import json
from math import inf, isclose, log, sqrt

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from gradclinic.measure.meanfield import ACTIVATIONS, trajectory
from tests.measure.phase.networks import found, growths, only, plain


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


@pytest.mark.parametrize(
    ("activation", "sigma_w", "predicted"),
    [
        (nn.ReLU, None, 0.4082),  # PyTorch's default, σ_w² = 1/3
        (nn.Tanh, None, 0.5774),
        (nn.Sigmoid, None, 0.141),
        (nn.Sigmoid, 1.0, 0.2361),  # Xavier
        (nn.ReLU, 1.0, 0.7071),
        (nn.Tanh, 5 / 3, sqrt(1.210)),
        (nn.SELU, 1.0, sqrt(1.0718)),
    ],
)
def test_the_gradient_falls_as_predicted_and_as_measured_elsewhere(activation, sigma_w, predicted):
    stack = only(plain(9, 512, activation, sigma_w), torch.randn(128, 512), backward=True)
    assert stack.theory is not None
    assert sqrt(stack.theory.chi) == pytest.approx(predicted, rel=0.02)
    measured, theory = growths(stack)
    # Tolerance: 3 standard deviations of √χ over a layer of width 512 (Hanin and Nica: 5/n of the square).
    assert torch.allclose(measured, theory, rtol=3 * sqrt(5 / 512) / 2)
    assert measured.mean() == pytest.approx(theory.mean().item(), rel=0.03)


@pytest.mark.parametrize(
    ("activation", "sigma_w", "name"),
    [
        (nn.ReLU, None, "ordered"),
        (nn.ReLU, sqrt(2), "critical"),
        (nn.ReLU, 1.6, "chaotic"),
        (nn.Tanh, 5 / 3, "chaotic"),
        (nn.Sigmoid, 1.0, "ordered"),
    ],
)
def test_phase(activation, sigma_w, name):
    stack = only(plain(10, 256, activation, sigma_w), torch.randn(32, 256))
    assert stack.theory is not None
    assert stack.theory.phase == name
    assert stack.words.startswith(name)


@pytest.mark.parametrize(("square", "scale"), [(1.0, 3.627), (1.1837, 5.696), (1.3673, 9.628)])
def test_correlation_depth_scale_of_tanh(square, scale):
    """At σ_b² = .05; six of them is the rule, 7.3 what the published grid shows in the ordered phase."""
    model = plain(9, 700, nn.Tanh, sqrt(square), sqrt(0.05))
    for layer in model:
        if isinstance(layer, nn.Linear):  # exactly these scales, so that the draw does not matter
            with torch.no_grad():
                layer.weight *= sqrt(square / float(700 * layer.weight.detach().square().mean()))
                layer.bias *= sqrt(0.05 / float(layer.bias.detach().square().mean()))
    theory = only(model, torch.randn(16, 700)).theory
    assert theory is not None
    assert theory.correlation_depth_scale == pytest.approx(scale, rel=1e-3)
    assert theory.trainable_layers == pytest.approx(6 * scale, rel=1e-3)
    assert theory.measured_layers == pytest.approx(7.3 * scale, rel=1e-3)
    assert theory.depth_scales == pytest.approx(8 / scale, rel=1e-3)
    # theory.md's table of critical variances: tanh at .05.
    assert theory.critical_sigma_w == pytest.approx(sqrt(1.76095), rel=1e-4)
    assert theory.weight_factor == pytest.approx(sqrt(1.76095 / square), rel=1e-4)


def test_relu_counts_its_depth_by_the_gradient_where_correlations_stay():
    theory = only(plain(10, 256, nn.ReLU, 1.0), torch.randn(32, 256)).theory
    assert theory is not None
    assert theory.correlation_depth_scale == inf
    assert theory.depth_scales == pytest.approx(9 * -log(theory.chi), rel=1e-6)
    assert theory.critical_sigma_w == pytest.approx(sqrt(2))
    assert theory.weight_factor == pytest.approx(sqrt(2), rel=0.02)


def test_gelu_has_one_critical_point_only_and_it_needs_biases():
    stack = only(plain(5, 256, nn.GELU, sqrt(2)), torch.randn(32, 256))
    assert stack.theory is not None
    assert stack.theory.critical_sigma_w == pytest.approx(sqrt(1.98305826), rel=1e-6)
    assert stack.theory.critical_sigma_b == pytest.approx(sqrt(0.17292239), rel=1e-6)
    assert "runs away" in stack.theory.no_critical
    assert "biases of standard deviation 0.416" in stack.words


def test_q_follows_the_theory():
    stack = only(plain(12, 1000, nn.Tanh, 1.3, 0.3), 2 * torch.randn(64, 1000))
    for layer in stack.layers:
        assert layer.q == pytest.approx(layer.q_theory, rel=0.12)
    expected = trajectory(ACTIVATIONS["tanh"], 1.3, 0.3, 12, q0=4.0)
    theory = [layer.q_theory for layer in stack.layers]
    assert theory == pytest.approx(list(expected.q), rel=0.1)


@settings(max_examples=15, deadline=None)
@given(
    st.sampled_from(["relu", "tanh", "sigmoid", "gelu", "silu", "hardtanh"]),
    st.floats(0.2, 2.0),
    st.floats(0.0, 0.5),
    st.integers(2, 6),
)
def test_predictions_are_those_of_the_trajectory(name, sigma_w, sigma_b, depth):
    """The layers' own scales along the theory's own trajectory."""
    torch.manual_seed(1)
    modules = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "gelu": nn.GELU, "silu": nn.SiLU}
    model = plain(depth, 24, modules.get(name, nn.Hardtanh), sigma_w, sigma_b)
    stack = only(model, torch.randn(8, 24))
    expected = trajectory(
        ACTIVATIONS[name],
        [
            float(layer.weight.detach().double().square().mean() * 24) ** 0.5
            for layer in model
            if isinstance(layer, nn.Linear)
        ],
        [float(layer.bias.detach().double().square().mean()) ** 0.5 for layer in model if isinstance(layer, nn.Linear)],
        q0=stack.q_input,
    )
    assert stack.activation == name
    assert [layer.q_theory for layer in stack.layers] == pytest.approx(list(expected.q))
    assert stack.theory is not None
    assert isclose(stack.theory.decades, expected.decades, abs_tol=1e-9)


def test_a_zero_head_a_dead_and_a_broken_weight_do_not_fail():
    model = plain(4, 16, nn.ReLU)
    nn.init.zeros_(model[-1].weight)
    assert only(model, torch.randn(4, 16), backward=True).theory is not None
    for layer in model:
        if isinstance(layer, nn.Linear):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
    stack = only(model, torch.randn(4, 16), backward=True)
    assert stack.theory is not None
    assert stack.theory.chi == 0
    with torch.no_grad():
        model[0].weight[0, 0] = float("nan")
    phases = found(model, torch.randn(4, 16))
    assert phases.stacks[0].theory is None
    assert "not finite" in phases.stacks[0].words
    json.dumps(phases.to_dict(), allow_nan=False)


def test_numbers_that_do_not_exist_are_none_in_the_report():
    report = found(plain(4, 64, nn.ReLU, 1.0), torch.randn(8, 64)).to_dict()
    assert report["stacks"][0]["theory"]["correlation_depth_scale"] is None
    json.dumps(report, allow_nan=False)


def test_weights_that_are_all_alike_are_named():
    model = plain(4, 64, nn.ReLU)
    nn.init.constant_(model[2].weight, 0.1)
    stack = only(model, torch.randn(8, 64))
    assert any("not independent" in note and note.endswith(": 2") for note in stack.notes)
    assert stack.layers[1].isometry == pytest.approx(63)


def test_orthogonal_weights_are_told_from_independent_ones():
    model = plain(5, 64, nn.ReLU)
    nn.init.orthogonal_(model[2].weight)
    values = [layer.isometry for layer in only(model, torch.randn(8, 64)).layers]
    assert values[1] == pytest.approx(0, abs=1e-5)
    assert values[0] == pytest.approx(1, abs=0.15)
