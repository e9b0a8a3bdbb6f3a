"""Epochs and bounds against what they are bounds of."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from corpus.peers.view import View
from gradclinic.diagnose import Evidence
from gradclinic.schema.record import Exponents, Record, Step
from gradclinic.schema.vitals import EXPONENT_BIAS, EXPONENT_BINS, absent
from tests.diagnose import handmade as hand


def view(record: Record) -> View:
    return View(Evidence(record), 10)


def with_gradient(values: NDArray[np.float64], histogram: bool) -> tuple[View, Step]:
    """A run of one step and one weight, whose gradient has these values."""
    table = absent(1)
    magnitudes = np.abs(values[values != 0])
    square = float(np.sum(values**2))
    table[0] = (
        len(values),
        0,
        len(values) - len(magnitudes),
        0,
        values.sum(),
        square,
        0,
        magnitudes.min(),
        magnitudes.max(),
    )
    step = replace(hand.steps([1.0], [1.0])[0], gradients=table)
    counts = np.zeros((1, EXPONENT_BINS), np.int64)
    np.add.at(counts[0], np.floor(np.log2(magnitudes)).astype(int) + EXPONENT_BIAS, 1)
    record = hand.record([1.0], depth=1, steps=(step,), exponents=(Exponents(0, counts),) if histogram else ())
    return view(record), step


@pytest.mark.parametrize("histogram", [False, True])
@pytest.mark.parametrize("kind", ["normal", "sparse", "one-sided", "heavy"])
def test_the_mean_magnitude_lies_between_its_bounds(kind: str, histogram: bool) -> None:
    values = np.random.default_rng(0).normal(0, 1e-6, 5000)
    values = {
        "normal": values,
        "sparse": np.where(np.arange(5000) % 10, 0.0, values),
        "one-sided": np.abs(values),
        "heavy": values**3 * 1e12,
    }[kind]
    seen, step = with_gradient(values, histogram)
    low, high = seen.mean_magnitude(step, 0)
    mean = float(np.abs(values).mean())
    assert low <= mean * (1 + 1e-12)
    assert mean <= high * (1 + 1e-12)
    if histogram:
        assert high <= 2 * low * (1 + 1e-12)


def test_a_gradient_of_zeros_and_one_of_nans() -> None:
    seen = view(hand.record([1.0], depth=2, norms=[0.0, 1.0]))
    assert seen.mean_magnitude(seen.ends[0], 0) == (0.0, 0.0)
    table = hand.gradients([1.0])
    table["non_finite"] = table["count"]
    seen = view(hand.record([1.0], depth=1, steps=(replace(hand.steps([1.0], [1.0])[0], gradients=table),)))
    assert np.isnan(seen.mean_magnitude(seen.ends[0], 0)).all()


def test_epochs_are_equal_parts_of_the_run() -> None:
    seen = view(hand.record([float(i) for i in range(40)]))
    assert [len(epoch) for epoch in seen.epochs] == [4] * 10
    assert seen.losses.tolist() == [1.5 + 4 * i for i in range(10)]
    assert [step.step for step in seen.ends] == list(range(3, 40, 4))
    assert len(view(hand.record([1.0, 2.0])).epochs) == 2
    assert view(hand.record([])).epochs == ()


def test_a_bad_loss_is_not_a_missing_one() -> None:
    losses = view(hand.record([float("nan"), None, 3.0])).losses
    assert np.isinf(losses[0])
    assert np.isnan(losses[1])
    assert losses[2] == 3.0


def test_saturation_needs_both_signs() -> None:
    book = hand.ledger(4, activation="Tanh", activities=[hand.activity(1, op="Tanh", saturated=0.6)])
    found = book.activities[0]

    def may(input_rms: float | None) -> bool:
        entries = tuple(replace(e, forward_in=input_rms) if e.sequence == found.sequence else e for e in book.entries)
        return view(hand.record(book=replace(book, entries=entries))).saturated(found, 5.0)

    assert may(3.6)  # half of the elements at 5 and half at 0 have the root mean square 3.54
    assert not may(3.5)
    assert may(None)
    assert not view(hand.record(book=book)).saturated(replace(found, saturated_fraction=0.4), 5.0)
