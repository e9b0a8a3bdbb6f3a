"""Rows of layers, arranged from handmade records."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gradclinic.schema.ledger import Entry, Ledger, Line
from gradclinic.schema.record import ParameterInfo, Step, Updates
from gradclinic.show.layers import Fold, fold, layer_rows, layers

from . import handmade


def test_parameters_of_one_module_are_one_layer_and_the_roots_own_stand_alone():
    parameters = (
        ParameterInfo(0, "scale", (), "float32", True, "", "Model", 0),
        ParameterInfo(1, "a.weight", (4, 3), "float32", True, "a", "Linear", 0),
        ParameterInfo(2, "shift", (5,), "float32", True, "", "Model", 0),
        ParameterInfo(3, "a.bias", (4,), "float32", True, "a", "Linear", 0),
    )
    found = layers(parameters)
    assert [(layer.name, layer.rows, layer.elements) for layer in found] == [
        ("scale", (0,), 1),
        ("a", (1, 3), 16),
        ("shift", (2,), 5),
    ]


def test_norms_join_by_squares_and_survive_the_edge_of_float64():
    record = handmade.record(1, 1, norm=lambda k, t: 1.0, loss=lambda t: 1.0)
    for norms, expected in (((3.0, 4.0), 5.0), ((3e200, 4e200), 5e200), ((3e-200, 4e-200), 5e-200)):
        step = replace(record.steps[0], gradients=handmade.vitals(norms))
        (row,) = layer_rows(replace(record, steps=(step,)), None)
        assert row.last == pytest.approx(expected, rel=1e-12)


def test_first_is_the_first_step_that_saw_a_gradient_and_last_the_last():
    values = [None, 2.0, 3.0, 0.0]
    record = handmade.record(1, 4, norm=lambda k, t: values[t], loss=lambda t: 1.0)
    (row,) = layer_rows(record, None)
    assert row.first == pytest.approx(2.0 * np.sqrt(1 + 1 / 64))
    assert row.last == 0
    assert row.state == "zero"


@pytest.mark.parametrize(("value", "state"), [(None, "absent"), (float("nan"), "non_finite"), (0.0, "zero")])
def test_states_of_the_last_gradient(value, state):
    record = handmade.record(1, 2, norm=lambda k, t: value, loss=lambda t: 1.0)
    assert layer_rows(record, None)[0].state == state


def test_a_layer_is_judged_by_the_steps_of_its_own_optimizer():
    parameters = (
        ParameterInfo(0, "g.w", (2,), "float32", True, "g", "Linear", 0),
        ParameterInfo(1, "d.w", (2,), "float32", True, "d", "Linear", 1),
    )
    base = handmade.record(0, 0, norm=lambda k, t: None, loss=lambda t: None)
    steps = (
        Step(0, 0, 0, 0.0, 1.0, 1, (0.1,), gradients=handmade.vitals([5.0, None])),
        Step(1, 1, 0, 0.0, 1.0, 1, (0.1,), gradients=handmade.vitals([None, 7.0])),
    )
    first, second = layer_rows(replace(base, parameters=parameters, steps=steps), None)
    assert (first.last, first.state) == (pytest.approx(5.0), "seen")
    assert (second.last, second.state) == (pytest.approx(7.0), "seen")


def test_an_activation_counts_for_the_layer_before_it():
    ledger = handmade.chain(3, "Relu", -0.5, 0.2)
    record = handmade.record(3, 1, norm=lambda k, t: 1.0, loss=lambda t: 1.0)
    rows = layer_rows(record, ledger)
    # The first layer's own product sends no gradient further back, so it has its activation's line only.
    assert [row.decades for row in rows] == pytest.approx([-0.5, -0.3, 0.2])
    assert sum(row.decades for row in rows) == pytest.approx(ledger.total)
    assert [row.dead for row in rows] == [2 / 64, 2 / 64, None]
    assert "net.1" in rows[0].names


def test_an_operation_is_placed_by_its_parameters_where_its_module_has_none():
    entries = (
        Entry(0, "Addmm", "weight", "", (1,), parameters=("net.0.weight",)),
        Entry(1, "Tanh", "activation", "", (1,)),
    )
    ledger = Ledger(entries, (Line(1, "activation", "", "Tanh", -1.5),), -1.5, 0.0)
    record = handmade.record(2, 1, norm=lambda k, t: 1.0, loss=lambda t: 1.0)
    assert [row.decades for row in layer_rows(record, ledger)] == [-1.5, None]


def test_update_ratio_is_that_of_the_last_measured_step():
    record = handmade.record(1, 1, norm=lambda k, t: 1.0, loss=lambda t: 1.0)
    weight = np.array([3.0, 4.0])
    updates = (
        Updates(0, weight, np.array([1.0, 0.0]), np.zeros(2)),
        Updates(5, weight, np.array([0.0, 0.5]), np.zeros(2)),
        Updates(9, np.full(2, np.nan), np.full(2, np.nan), np.zeros(2)),
    )
    assert layer_rows(replace(record, updates=updates), None)[0].update == pytest.approx(0.1)


def deep(depth, decades=None):
    record = handmade.record(depth, 1, norm=lambda k, t: 1.0, loss=lambda t: 1.0)
    rows = layer_rows(record, None)
    return [replace(row, decades=(decades or {}).get(i, 0.0)) for i, row in enumerate(rows)]


def shown(folded):
    return [len(item.rows) if isinstance(item, Fold) else item.layer.name for item in folded]


def test_a_shallow_net_is_not_folded():
    rows = deep(6)
    assert fold(rows, 8) == rows


@pytest.mark.parametrize("limit", [5, 8, 14])
def test_a_deep_net_is_folded_and_nothing_is_lost(limit):
    rows = deep(100)
    folded = fold(rows, limit)
    assert len(folded) <= limit
    flat = [row for item in folded for row in (item.rows if isinstance(item, Fold) else [item])]
    assert flat == rows
    assert not isinstance(folded[0], Fold)
    assert not isinstance(folded[-1], Fold)
    assert all(len(item.rows) > 1 for item in folded if isinstance(item, Fold))


def test_the_layer_that_stands_out_and_the_named_one_stay():
    rows = deep(60, {41: -6.0})
    names = shown(fold(rows, 12, ["net.50"]))
    assert "net.82" in names  # layer 41
    assert "net.50" in names


def test_layers_that_are_all_named_are_shown_evenly():
    rows = deep(60)
    names = shown(fold(rows, 12, [row.layer.name for row in rows]))
    places = [int(name.split(".")[1]) // 2 for name in names if isinstance(name, str)]
    assert any(20 < place < 40 for place in places)
