"""DeepDiagnosis' symptoms and advice on hand-made records."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from corpus.peers import tree
from corpus.peers.view import View
from gradclinic.diagnose import Evidence
from gradclinic.schema.ledger import Activity, Objective
from gradclinic.schema.record import Record
from tests.diagnose import handmade as hand

from .conftest import Check, between

nan = float("nan")


def ends_with(op: str, objective: Objective) -> Record:
    """A chain whose last operation is an activation."""
    book = hand.ledger(4, objective=objective)
    last = Activity("out", op, 99, 10, 0.1, (), 0, 0.0, 0, 0.5)
    return hand.record(book=replace(book, activities=(last,)))


def regression(**fields: Any) -> Objective:
    return Objective("MseLoss", (128, 1), (128, 1), **fields)


def test_a_healthy_run(deepdiagnosis: Check) -> None:
    assert deepdiagnosis(hand.record()) == {}


@pytest.mark.parametrize(
    ("op", "objective", "expected"),
    [
        ("Relu", hand.cross_entropy(), True),
        ("Sigmoid", hand.cross_entropy(), True),
        ("Sigmoid", hand.cross_entropy(classes=2), None),
        ("Sigmoid", regression(target_mean=0.5, target_rms=1.2), True),
        ("Sigmoid", regression(target_mean=0.3, target_rms=0.4), None),
        ("Sigmoid", regression(target_mean=0.6, target_rms=0.8), False),  # 0.6 + 0.53 > 1
        ("Tanh", regression(target_mean=-0.5, target_rms=0.6), None),
        ("Relu", regression(target_mean=-0.1, target_rms=0.6), True),
        ("Relu", regression(target_mean=3.0, target_rms=3.1), None),
        ("Relu", regression(target_mean=0.1, target_rms=1.0), False),
        ("Sigmoid", replace(regression(target_mean=0.64, target_rms=0.8), op="BinaryCrossEntropy"), None),
    ],
)
def test_out_of_range(deepdiagnosis: Check, op: str, objective: Objective, expected: bool | None) -> None:
    found = deepdiagnosis(ends_with(op, objective)).get("out of range")
    assert (found.certain if found else None) is expected


def test_a_linear_output_ten_times_as_wide_as_its_labels(deepdiagnosis: Check) -> None:
    wide = regression(target_mean=0.0, target_rms=1.0, prediction_rms=11.0)
    assert "out of range" in deepdiagnosis(hand.record(book=hand.ledger(4, objective=wide)))
    assert "out of range" not in deepdiagnosis(
        hand.record(book=hand.ledger(4, objective=replace(wide, prediction_rms=9.0)))
    )


@pytest.mark.parametrize(("zeros", "name"), [(0.72, "dead node"), (0.68, None), (1.0, "numerical error")])
def test_zeros_of_a_relu(deepdiagnosis: Check, zeros: float, name: str | None) -> None:
    activity = replace(hand.activity(1), zero_fraction=zeros)
    found = deepdiagnosis(hand.record(book=hand.ledger(4, activities=[activity], objective=hand.cross_entropy())))
    assert next(iter(found), None) == name


@pytest.mark.parametrize(
    ("op", "rms", "certain"), [("Sigmoid", 0.7, False), ("Tanh", 0.9999, False), ("Tanh", 0.99997, True)]
)
def test_saturation_is_certain_only_where_the_output_says_so(
    deepdiagnosis: Check, op: str, rms: float, certain: bool
) -> None:
    activity = replace(hand.activity(1, op=op, saturated=0.9), rms=rms)
    book = hand.ledger(4, activation=op, activities=[activity], objective=hand.cross_entropy())
    assert deepdiagnosis(hand.record(book=book))["saturated activation"].certain is certain


def test_losses(deepdiagnosis: Check) -> None:
    assert deepdiagnosis(hand.record([2.3] * 50 + [nan] * 50))["invalid loss"].step == 59
    still = deepdiagnosis(hand.record([2.5] * 100))
    assert still["loss not decreasing"].certain
    assert not still["accuracy not increasing"].certain
    assert "loss not decreasing" not in deepdiagnosis(hand.record(hand.flat()))


def test_gradients(deepdiagnosis: Check) -> None:
    assert deepdiagnosis(hand.record(steps=between(0.8e-7, 0.9e-7)))["vanishing gradient"].certain
    assert not deepdiagnosis(hand.record(steps=between(0.8e-7, 1.1e-7)))["vanishing gradient"].certain
    assert "vanishing gradient" not in deepdiagnosis(hand.record(steps=between(1.1e-7, 1.2e-7)))
    assert "numerical error in gradient" in deepdiagnosis(hand.record(norms=[0.0, 1, 1, 1]))


def test_weights_that_never_move(deepdiagnosis: Check) -> None:
    assert "unchanged weight" in deepdiagnosis(hand.record(moved=0.0))
    assert "unchanged weight" not in deepdiagnosis(hand.record(moved=lambda tick: 1e-9 if tick == 10 else 0.0))


def walk(record: Record, *questions: str) -> frozenset[str]:
    view = View(Evidence(record), 10)
    return tree.advice(view, view.epochs[-1][-1], questions, frozenset({"otherwise"}))


def test_the_tree_answers_open_questions_both_ways() -> None:
    wide = hand.record(book=hand.ledger(4, input_rms=1.5))
    narrow = hand.record(book=hand.ledger(4, input_rms=0.5))
    assert walk(wide, "data", "rate") == tree.DATA
    assert walk(narrow, "data", "rate") == tree.DATA | {"otherwise"}


@pytest.mark.parametrize(("lr", "odd"), [(0.1, False), (2.0, True), (1e-5, True), (0.0, None)])
def test_the_rate_of_change(lr: float, odd: bool | None) -> None:
    found = walk(hand.record(lr=lr), "rate")  # gradients of norm 0.5, weights of norm 6.4
    assert found == {True: tree.RATE, False: {"otherwise"}, None: tree.RATE | {"otherwise"}}[odd]


@pytest.mark.parametrize(
    ("rms", "causes"), [(0.1, {"otherwise"}), (0.003, tree.WEIGHTS), (4.0, tree.WEIGHTS | {"otherwise"})]
)
def test_the_variance_of_the_weights(rms: float, causes: frozenset[str]) -> None:
    norm = rms * hand.WIDTH
    assert walk(hand.record(updates=hand.updates(4, 1e-3, weight=lambda tick: norm)), "weights") == causes
    unseen = hand.record(updates=(), parameters=hand.parameters(4, rms=rms))
    assert walk(unseen, "weights") == causes


def test_nothing_recorded_is_nothing_said(deepdiagnosis: Check, autotrainer: Check, sagemaker: Check) -> None:
    for check in (deepdiagnosis, autotrainer, sagemaker):
        assert check(hand.record([], updates=(), ledgers=())) == {}
        assert check(Record(hand.INFO, None)) == {}
        assert check(hand.record([None] * 3, norms=[None] * 4, updates=(), ledgers=())) == {}


def test_a_weight_of_zeros_has_too_little_variance_and_no_rate() -> None:
    zeros = hand.record(updates=hand.updates(4, nan, weight=lambda tick: 0.0))
    assert walk(zeros, "weights") == tree.WEIGHTS
    assert walk(zeros, "rate") == tree.RATE
