"""Critical weight scales against the table of theory.md."""

from __future__ import annotations

import math

import pytest

from gradclinic.schema.critical import critical_bias_variance, critical_gain, gradient_factor, weight_gain


@pytest.mark.parametrize(
    ("op", "gain", "bias_variance", "factor"),
    [
        ("Relu", 1 / math.sqrt(3), 0.0, 0.4082),
        ("Tanh", 1 / math.sqrt(3), 0.0, 0.5774),
        ("Sigmoid", 1 / math.sqrt(3), 0.0, 0.1414),
        ("Sigmoid", 1.0, 0.0, 0.2361),
        ("Relu", 1.0, 0.0, 0.7071),
        ("Tanh", 5 / 3, 0.0, math.sqrt(1.210)),
        ("Tanh", math.sqrt(1.18919), 0.001, 1.0),
        ("Tanh", math.sqrt(1.76095), 0.05, 1.0),
        ("Tanh", math.sqrt(2.28515), 0.2, 1.0),
        ("Hardtanh", math.sqrt(1.166), 0.05, 1.0),
    ],
)
def test_gradient_factor(op, gain, bias_variance, factor):
    assert gradient_factor(op, gain, bias_variance) == pytest.approx(factor, rel=2e-3)


@pytest.mark.parametrize("op", ["", "Relu", "Tanh", "Hardtanh"])
def test_the_critical_gain_has_factor_one(op):
    assert gradient_factor(op, critical_gain(op), critical_bias_variance(op)) == pytest.approx(1.0, abs=0.02)


def test_a_sigmoid_has_no_critical_gain_and_an_unknown_activation_no_factor():
    assert critical_gain("Sigmoid") is None
    assert max(gradient_factor("Sigmoid", gain) for gain in (0.5, 1.0, 2.0, 4.0)) < 0.7
    assert gradient_factor("Swoosh", 1.0) is None


def test_measured_gain():
    """The default initialisation of a Linear: U(±1/√n) has variance 1/(3n)."""
    assert weight_gain(1 / math.sqrt(3 * 256), 256) == pytest.approx(1 / math.sqrt(3))
    assert critical_gain("LeakyRelu", 0.2) == pytest.approx(math.sqrt(2 / 1.04))
