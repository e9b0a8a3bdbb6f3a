"""AutoTrainer's problems on hand-made records."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from corpus.peers.autotrainer import _swings
from tests.diagnose import handmade as hand

from .conftest import Check

FLAT = hand.flat()


def test_a_healthy_run(autotrainer: Check) -> None:
    assert autotrainer(hand.record()) == {}


@pytest.mark.parametrize(
    ("first", "last", "problem"),
    [
        (0.9e-4, 0.1, "vanish"),
        (0.9e-4, 0.08, "not_converge"),
        (1.1e-4, 0.9, "not_converge"),
        (3.52, 0.05, "explode"),
        (3.48, 0.05, "not_converge"),
    ],
)
def test_the_first_layer_against_the_last(autotrainer: Check, first: float, last: float, problem: str) -> None:
    assert list(autotrainer(hand.record(FLAT, norms=[first, 0.1, 0.1, last]))) == [problem]


def test_gradients_count_only_where_training_is_poor(autotrainer: Check) -> None:
    assert autotrainer(hand.record(norms=[5e-5, 0.1, 0.1, 0.1])) == {}


def test_seven_tenths_of_all_gradients_at_zero_is_dying_relu(autotrainer: Check) -> None:
    assert "relu" in autotrainer(hand.record(FLAT, norms=[0.0, 0.0, 0.0, 0.1]))
    assert "relu" not in autotrainer(hand.record(FLAT, norms=[0.0, 0.0, 0.1, 0.1]))


def test_nan_is_seen_at_once(autotrainer: Check) -> None:
    found = autotrainer(hand.record([2.3] * 10 + [float("nan")] * 90))
    assert list(found) == ["explode"]
    assert found["explode"].step == 19  # the end of the second of ten epochs
    bad = hand.record()
    bad = replace(bad, steps=hand.steps(hand.falling(), [0.5] * 4, bad=lambda step: [2] if step >= 19 else []))
    assert autotrainer(bad)["explode"].step == 19


def test_a_loss_beyond_100000_is_nan_too(autotrainer: Check) -> None:
    assert list(autotrainer(hand.record([2e5] * 100))) == ["explode"]
    assert list(autotrainer(hand.record([9e4] * 100))) == ["not_converge"]


def test_ascent_has_poor_accuracy(autotrainer: Check) -> None:
    falling = [2.3 - 0.1 * i for i in range(200)]
    assert list(autotrainer(hand.record(falling))) == ["not_converge"]


def test_swings_are_pairs_of_a_maximum_and_a_minimum() -> None:
    assert _swings(np.array([0.5, 0.8, 0.6, 0.8, 0.6, 0.8])) == 2
    assert _swings(np.array([0.5, 0.62, 0.6, 0.62, 0.6, 0.62])) == 0
    assert _swings(np.array([0.1, 0.2, 0.3, 0.4])) == 0


def test_an_oscillating_run_that_reaches_its_accuracy(autotrainer: Check) -> None:
    losses = [value for i in range(10) for value in [0.2 if i % 2 else 0.8] * 20]
    assert list(autotrainer(hand.record(losses))) == ["unstable"]
