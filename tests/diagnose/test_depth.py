"""Gradients that vanish or explode through depth.

Each condition and cause on the smallest record that has it, and on its nearest healthy neighbour.
"""

from __future__ import annotations

from dataclasses import replace
from math import sqrt

import numpy as np
import pytest

from gradclinic.diagnose import diagnose
from gradclinic.schema.ledger import Line, Recurrence

from . import handmade as hand
from .verdicts import first, quiet, stuck


def test_sigmoids_take_what_no_initialisation_wins_back():
    found = first(stuck(activation="Sigmoid", slope=-0.65, sigma=1.0))
    assert (found.condition, found.cause) == ("vanishing_gradient", "saturating_activation")
    assert found.where[0] == "act.0"
    assert "ReLU" in found.action
    assert found.evidence["decades_of_cause"] == pytest.approx(-0.65 * 11)


def test_relu_is_innocent_where_the_weights_could_win_it_back():
    found = first(stuck(depth=30, sigma=1.0))  # Xavier: each layer keeps 1/sqrt(2)
    assert (found.condition, found.cause) == ("vanishing_gradient", "weight_scale_small")
    assert found.evidence["sigma_w_critical"] == pytest.approx(sqrt(2))
    assert "kaiming" in found.action


def test_the_one_layer_with_small_weights_is_named():
    found = first(stuck(depth=30, special=(17, 0.001)))
    assert found.cause == "weight_scale_small"
    assert found.where[0] == "layers.17"


def test_the_worst_of_many_small_layers_comes_first():
    found = first(stuck(depth=30, sigma=1.0, special=(17, 0.01)))
    assert found.cause == "weight_scale_small"
    assert found.where[0] == "layers.17"
    assert first(stuck(depth=30, sigma=1.0)).where[0] == "layers.1"


def test_large_weights_that_saturate_tanh_are_to_blame_and_not_tanh():
    found = first(stuck(activation="Tanh", slope=-1.0, sigma=5.0))
    assert (found.condition, found.cause) == ("vanishing_gradient", "weight_scale_large")


def test_a_recurrence_that_contracts_is_named_as_one():
    grads = tuple(10.0 ** (-0.3 * (29 - t)) for t in range(30))
    loop = Recurrence("cell", "Addmm", "cell.weight_hh", grads)
    found = first(stuck(depth=30, activation="Tanh", slope=-0.06, sigma=0.57, recurrences=[loop]))
    assert (found.condition, found.cause) == ("vanishing_gradient", "recurrent_contraction")
    assert found.where == ("cell",)
    assert found.evidence["gain_per_repetition"] == pytest.approx(10**-0.3)


def test_a_gradient_that_vanishes_in_a_run_that_learns_is_no_finding():
    assert quiet(stuck(losses=hand.falling(), activation="Sigmoid", slope=-0.65, sigma=1.0)).findings == ()


def test_a_moderate_loss_through_depth_is_not_blamed_for_a_learning_rate_that_is_too_high():
    # Four default-initialised ReLU layers lose 1.2 decades and more; they train all the same.
    record = hand.record(
        [2.3, 40.0, 20.0, *hand.flat(150)], depth=5, moved=3.0,
        book=hand.ledger(5, sigma=0.577, objective=hand.cross_entropy()),
    )  # fmt: skip
    assert first(record).cause == "learning_rate_high"


def test_a_gate_that_starts_at_zero_passes_nothing_at_first():
    # ReZero, LoRA, zero-initialised heads: step 0 passes nothing, later steps do.
    closed, opened = hand.ledger(12, weight=-7.0), hand.ledger(12, objective=hand.cross_entropy())
    book = [(0, closed), (1, opened), (2, opened), (5, opened)]
    outcomes = diagnose(hand.record(hand.flat(), depth=12, book=book)).findings
    assert "vanishing_gradient" not in [f.condition for f in outcomes]


def test_too_few_steps_leave_it_a_warning():
    report = diagnose(stuck(losses=hand.flat(8), activation="Sigmoid", slope=-0.65, sigma=1.0))
    assert report.verdict == "undecided"
    assert (report.findings[0].condition, report.findings[0].severity) == ("vanishing_gradient", "warning")


def test_large_weights_explode():
    found = first(stuck(sigma=5.0, moved=0.01))
    assert (found.condition, found.cause) == ("exploding_gradient", "weight_scale_large")
    assert found.evidence["decades_grown"] == pytest.approx(11 * (np.log10(5) - 0.1505), rel=1e-3)


def test_a_start_far_beyond_a_constant_prediction_is_not_excused_by_what_is_learned_later():
    objective = hand.cross_entropy(value=500.0)
    book = hand.ledger(12, sigma=5.0, objective=objective)
    found = first(hand.record(depth=12, book=book))
    assert (found.condition, found.cause, found.severity) == ("exploding_gradient", "weight_scale_large", "critical")
    assert quiet(hand.record(depth=12, book=hand.ledger(12, sigma=5.0, objective=hand.cross_entropy()))).findings == ()


def test_batch_normalisation_in_a_deep_stack_explodes_by_itself():
    # 0.083 decades per layer, whatever the weights (Yang 2019).
    found = first(stuck(depth=40, sigma=0.577, norm=0.083 + 0.1505 - np.log10(0.577), moved=0.01))
    assert (found.condition, found.cause) == ("exploding_gradient", "normalization_depth")
    assert found.evidence["gain_per_layer"] == pytest.approx(10**0.083, rel=1e-3)


def test_an_activation_without_bound_explodes():
    found = first(stuck(activation="Exp", slope=0.5, sigma=0.577, moved=0.01))
    assert (found.condition, found.cause) == ("exploding_gradient", "unbounded_activation")


def test_a_recurrence_that_expands_is_named_as_one():
    grads = tuple(10.0 ** (0.2 * (29 - t)) for t in range(30))
    found = first(stuck(depth=30, sigma=2.5, recurrences=[Recurrence("cell", "Addmm", "w", grads)], moved=0.01))
    assert (found.condition, found.cause) == ("exploding_gradient", "recurrent_expansion")


def test_an_output_in_the_units_of_its_targets_is_no_growth_through_depth():
    plain = hand.ledger(4, objective=hand.cross_entropy())
    scaled = replace(plain, lines=(plain.lines[0], Line(900, "other", "", "Mul", 3.5), *plain.lines[1:]))
    scaled = replace(scaled, total=(plain.total or 0.0) + 3.5)
    quiet(hand.record(hand.falling(end=1.6), book=scaled))
    inside = replace(scaled, lines=(*plain.lines, Line(1, "other", "", "Mul", 3.5)))
    assert first(hand.record(hand.falling(end=1.6), book=inside)).condition == "exploding_gradient"
