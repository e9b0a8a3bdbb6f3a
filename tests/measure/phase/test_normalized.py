"""Layers with normalisation: against networks wide enough, and the numbers of the papers."""

from __future__ import annotations

from math import pi, sqrt

import pytest
import torch
from torch import nn

from tests.measure.phase.networks import growths, only

WIDTH = 700


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def network(norm, activation, first, depth=6, sigma_w=1.3, width=WIDTH):
    layers: list[nn.Module] = []
    for _ in range(depth):
        layer = nn.Linear(width, width, bias=False)
        nn.init.normal_(layer.weight, 0, sigma_w / sqrt(width))
        layers += [layer, norm(width), activation()] if first else [layer, activation(), norm(width)]
    return nn.Sequential(*layers)


@pytest.mark.parametrize("norm", [nn.LayerNorm, nn.RMSNorm])
@pytest.mark.parametrize("activation", [nn.ReLU, nn.Tanh, nn.GELU])
@pytest.mark.parametrize("first", [True, False])
def test_per_sample_normalisation_as_measured(norm, activation, first):
    stack = only(network(norm, activation, first), 3 * torch.randn(64, WIDTH), backward=True)
    assert stack.theory is not None
    measured, theory = growths(stack)
    assert torch.allclose(measured, theory, rtol=3 * sqrt(5 / WIDTH) / 2)
    assert measured.mean().item() == pytest.approx(theory.mean().item(), rel=0.025)
    for layer in stack.layers:
        assert layer.q == pytest.approx(layer.q_theory, rel=0.1)


def test_layer_norm_and_relu():
    before = only(network(nn.LayerNorm, nn.ReLU, first=True, width=64), torch.randn(8, 64)).theory
    after = only(network(nn.LayerNorm, nn.ReLU, first=False, width=64), torch.randn(8, 64)).theory
    assert before is not None
    assert after is not None
    assert (before.phase, before.chi) == ("critical", pytest.approx(1))
    assert (after.phase, after.chi) == ("chaotic", pytest.approx(pi / (pi - 1)))
    assert before.trainable_layers is None


def test_the_scale_of_a_normalisation_counts():
    model = network(nn.LayerNorm, nn.Tanh, first=True)
    for module in model:
        if isinstance(module, nn.LayerNorm):
            nn.init.constant_(module.weight, 0.3)
            nn.init.constant_(module.bias, 0.2)
    # E φ'² and so on at N(β, γ²): the theory takes N(0, γ² + β²), right where β varies from unit to unit.
    for module in model:
        if isinstance(module, nn.LayerNorm):
            nn.init.normal_(module.bias, 0, 0.2)
    measured, theory = growths(only(model, torch.randn(64, WIDTH), backward=True))
    assert torch.allclose(measured, theory, rtol=3 * sqrt(5 / WIDTH) / 2)


@pytest.mark.parametrize(("batch", "growth"), [(8, 1.754), (32, 1.524), (128, 1.471)])
def test_batch_norm_makes_gradients_grow(batch, growth):
    """The middles of what was measured elsewhere; Yang et al. 2019 for the limit 1.4669."""
    stack = only(
        network(nn.BatchNorm1d, nn.ReLU, first=True, depth=8, width=400), torch.randn(batch, 400), backward=True
    )
    assert stack.theory is not None
    assert stack.theory.phase == "chaotic"
    assert stack.theory.chi == pytest.approx(growth, rel=0.02)
    measured, theory = growths(stack)
    assert len(measured) == 6  # the first layer's depends on the data
    assert measured.log().mean().item() == pytest.approx(theory.log().mean().item(), abs=0.04)


def test_batch_norm_between_layers_of_different_scales():
    """A layer's normalisation divides by its own scale, so only the ratio of two shows."""
    model = network(nn.BatchNorm1d, nn.ReLU, first=True, width=400)
    with torch.no_grad():
        model[6].weight *= 10
    measured, theory = growths(only(model, torch.randn(64, 400), backward=True))
    assert theory.tolist() == pytest.approx([1.225 * 10, 1.225 / 10, 1.225, 1.225], rel=0.05)
    assert torch.allclose(measured, theory, rtol=0.15)


def test_batch_norm_in_evaluation_is_a_factor():
    model = network(nn.BatchNorm1d, nn.ReLU, first=True, width=300).eval()
    for module in model:
        if isinstance(module, nn.BatchNorm1d):
            module.running_var.fill_(4.0)
    stack = only(model, torch.randn(32, 300))
    assert stack.normalization == ""
    assert stack.layers[1].sigma_w == pytest.approx(1.3 / 2, rel=0.02)
    assert stack.layers[2].q == pytest.approx(stack.layers[2].q_theory, rel=0.3)


@pytest.mark.parametrize(
    ("norm", "activation", "reason"),
    [
        (lambda width: nn.GroupNorm(4, width), nn.ReLU, "group_norm"),
        (nn.BatchNorm1d, nn.Tanh, "no closed form"),
    ],
)
def test_where_no_theory_is_known_there_is_a_measurement(norm, activation, reason):
    stack = only(network(norm, activation, first=True, width=64), torch.randn(16, 64), backward=True)
    assert stack.theory is None
    assert reason in stack.reason
    assert "multiplied by" in stack.words


def test_batch_norm_over_two_values():
    stack = only(network(nn.BatchNorm1d, nn.ReLU, first=True, width=16), torch.randn(2, 16))
    assert "fewer than 4" in stack.reason
