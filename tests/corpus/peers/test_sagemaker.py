"""SageMaker Debugger's rules on hand-made records."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from corpus.peers import sagemaker as rules
from gradclinic.diagnose import Evidence
from gradclinic.schema.record import Exponents, Record
from gradclinic.schema.vitals import EXPONENT_BIAS, EXPONENT_BINS
from tests.diagnose import handmade as hand

from .conftest import FALLING, Check, between


def test_a_healthy_run(sagemaker: Check) -> None:
    assert sagemaker(hand.record(FALLING)) == {}


def test_gradients(sagemaker: Check) -> None:
    assert sagemaker(hand.record(steps=between(0.8e-7, 0.9e-7)))["VanishingGradient"].certain
    assert not sagemaker(hand.record(steps=between(0.8e-7, 1.1e-7)))["VanishingGradient"].certain
    assert "VanishingGradient" not in sagemaker(hand.record(steps=between(1.1e-7, 1.2e-7)))
    assert "AllZero" in sagemaker(hand.record(FALLING, norms=[0.0, 1, 1, 1]))
    assert "AllZero" not in sagemaker(hand.record(FALLING, norms=[None, 1, 1, 1]))


def test_the_first_bad_value_is_an_exploding_tensor(sagemaker: Check) -> None:
    losses = [2.3] * 30 + [float("inf")] * 70
    assert sagemaker(hand.record(losses))["ExplodingTensor"].step == 30
    steps = hand.steps(FALLING, [0.5] * 4, bad=lambda step: [1] if step == 77 else [])
    assert sagemaker(hand.record(steps=steps))["ExplodingTensor"].step == 77


@pytest.mark.parametrize(("dead", "zeros", "certain"), [(0.6, 0.8, True), (0.4, 0.8, False), (0.4, 0.7, None)])
def test_dead_relu(sagemaker: Check, dead: float, zeros: float, certain: bool | None) -> None:
    activity = replace(hand.activity(1, dead=dead), zero_fraction=zeros)
    found = sagemaker(hand.record(FALLING, book=hand.ledger(4, activities=[activity]))).get("DeadRelu")
    assert (found.certain if found else None) is certain


@pytest.mark.parametrize(("stuck", "expected"), [(0.6, True), (0.4, False)])
def test_saturation(sagemaker: Check, stuck: float, expected: bool) -> None:
    activity = replace(hand.activity(1, op="Tanh", saturated=0.9), saturated_units=int(stuck * hand.WIDTH))
    record = hand.record(FALLING, book=hand.ledger(4, activation="Tanh", activities=[activity]))
    assert ("SaturatedActivation" in sagemaker(record)) is expected


def test_a_loss_that_does_not_fall_between_two_saves(sagemaker: Check) -> None:
    assert sagemaker(hand.record(FALLING[:100] + FALLING[80:100] + FALLING[100:180]))["LossNotDecreasing"].step == 119
    assert "LossNotDecreasing" in sagemaker(hand.record([2.3 * 0.99999**i for i in range(200)]))


@pytest.mark.parametrize(("relative", "cause"), [(11.0, "learning_rate_high"), (0.9e-8, "learning_rate_low")])
def test_update_ratio(sagemaker: Check, relative: float, cause: str) -> None:
    odd = hand.record(FALLING, moved=lambda tick: relative if tick == 50 else 1e-3)
    assert cause in sagemaker(odd)["WeightUpdateRatio"].causes
    assert "WeightUpdateRatio" not in sagemaker(hand.record(FALLING, moved=lambda tick: 9.0 if tick == 50 else 1.1e-8))


@pytest.mark.parametrize(("moved", "certain"), [(0.0, True), (0.9e-5, False), (1.2e-5, None)])
def test_unchanged_tensor(sagemaker: Check, moved: float, certain: bool | None) -> None:
    found = sagemaker(hand.record(FALLING, moved=moved)).get("UnchangedTensor")
    assert (found.certain if found else None) is certain


def test_three_looks_in_a_row_are_unchanged(sagemaker: Check) -> None:
    two = hand.record(FALLING, moved=lambda tick: 0.0 if tick in (1, 2, 10, 50) else 1e-3)
    assert "UnchangedTensor" not in sagemaker(two)


def unequal(ratio: float) -> Record:
    """ReLU inputs whose variances differ by ``ratio``, and a loss that does not fall."""
    book = hand.ledger(3, activities=[hand.activity(0), hand.activity(1)])
    sizes = {book.activities[0].sequence: 1.0, book.activities[1].sequence: ratio**0.5}
    entries = tuple(replace(e, forward_in=sizes.get(e.sequence, e.forward_in)) for e in book.entries)
    return hand.record([2.3, *(2.4 - 0.01 * i for i in range(99))], depth=3, book=replace(book, entries=entries))


def test_poor_initialization_by_unequal_variances(sagemaker: Check) -> None:
    assert "PoorWeightInitialization" in sagemaker(unequal(10.5))
    assert "PoorWeightInitialization" not in sagemaker(unequal(9.5))
    falling = replace(unequal(10.5), steps=hand.steps(FALLING, [0.5] * 3))
    assert "PoorWeightInitialization" not in sagemaker(falling)


@pytest.mark.parametrize(
    ("exponent", "poor"), [(-12, True), (-10, False)]
)  # twice 2**-12 is below 1e-3, twice 2**-10 not
def test_poor_initialization_by_narrow_gradients(sagemaker: Check, exponent: int, poor: bool) -> None:
    counts = np.zeros((4, EXPONENT_BINS), np.int64)
    counts[:, EXPONENT_BIAS + exponent] = 100
    rising = [2.3, *(2.4 - 0.01 * i for i in range(99))]
    found = sagemaker(hand.record(rising, exponents=(Exponents(0, counts),)))
    assert ("PoorWeightInitialization" in found) is poor


def test_the_earliest_rule_comes_first() -> None:
    losses = [2.3] * 100 + [float("nan")] * 100
    found = rules.check(Evidence(hand.record(losses, moved=lambda tick: 0.0 if tick in (0, 1, 2) else 1e-3)), 10)
    steps = [symptom.step or 0 for symptom in found]
    assert steps == sorted(steps)
    assert found[0].name in ("UnchangedTensor", "WeightUpdateRatio")
