"""The heat map's cells."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gradclinic.schema.record import ParameterInfo, Step
from gradclinic.show.heat import heat
from gradclinic.show.layers import STATES

from . import handmade


def make(norm, depth=3, steps=12):
    return handmade.record(depth, steps, norm=norm, loss=lambda t: 1.0)


def states(found):
    return [[STATES[cell] for cell in row] for row in found.state]


def test_each_cell_is_the_log10_of_its_layers_norm():
    found = heat(make(lambda k, t: 10.0 ** (k - t)))
    assert found.log10.shape == (3, 12)
    joined = np.log10(np.sqrt(1 + 1 / 64))  # weight and bias of handmade.record
    assert found.log10[2, 5] == pytest.approx(2 - 5 + joined)
    assert found.ticks.tolist() == list(range(12))


def test_states_are_told_apart_and_have_no_number():
    values = {0: None, 1: float("nan"), 2: 0.0}
    found = heat(make(lambda k, t: values[k], steps=2))
    assert states(found) == [["absent"] * 2, ["non_finite"] * 2, ["zero"] * 2]
    assert np.isnan(found.log10).all()


def test_columns_keep_the_spike_and_the_nan():
    def norm(k, t):
        return float("nan") if (k, t) == (1, 777) else (1e6 if (k, t) == (0, 500) else 1.0)

    found = heat(make(norm, depth=2, steps=1000), max_columns=50)
    assert found.log10.shape == (2, 50)
    assert found.steps == 1000
    assert found.log10[0].max() == pytest.approx(6.0, abs=0.01)
    assert (found.state[1] == STATES.index("non_finite")).sum() == 1
    column = int(np.argmax(found.state[1] == STATES.index("non_finite")))
    assert found.ticks[column] <= 777 < found.ticks[column + 1]


def test_an_absent_gradient_counts_only_where_no_step_of_the_column_had_one():
    found = heat(make(lambda k, t: None if t % 2 else 1.0, depth=1), max_columns=6)
    assert states(found) == [["seen"] * 6]


def test_rows_keep_the_first_the_last_and_the_named():
    found = heat(make(lambda k, t: 1.0, depth=90, steps=1), ["net.34.weight"], max_rows=10)
    names = [layer.name for layer in found.layers]
    assert len(names) <= 11
    assert names[0] == "net.0"
    assert names[-1] == "net.178"
    assert "net.34" in names
    assert found.layers_total == 90


def test_another_optimizers_turn_is_no_absent_gradient():
    parameters = (
        ParameterInfo(0, "g.w", (2,), "float32", True, "g", "Linear", 0),
        ParameterInfo(1, "d.w", (2,), "float32", True, "d", "Linear", 1),
        ParameterInfo(2, "lost.w", (2,), "float32", True, "lost", "Linear", None),
    )
    steps = (
        Step(0, 0, 0, 0.0, 1.0, 1, (0.1,), gradients=handmade.vitals([5.0, None, None])),
        Step(1, 1, 0, 0.0, 1.0, 1, (0.1,), gradients=handmade.vitals([None, 7.0, None])),
    )
    found = heat(replace(make(lambda k, t: 1.0), parameters=parameters, steps=steps))
    assert states(found) == [["seen", "not_stepped"], ["not_stepped", "seen"], ["absent", "absent"]]


def test_parameters_met_later_are_absent_before():
    record = make(lambda k, t: 1.0, depth=2, steps=2)
    early = replace(record.steps[0], gradients=record.steps[0].gradients[:2])
    found = heat(replace(record, steps=(early, record.steps[1])))
    assert states(found) == [["seen", "seen"], ["absent", "seen"]]


def test_norms_at_the_edge_of_float64_do_not_overflow():
    found = heat(make(lambda k, t: (1e300, 1e-300, 1.0)[k], steps=1))
    assert found.log10[:2, 0] == pytest.approx([300, -300], abs=0.01)


def test_a_record_without_steps_has_an_empty_map():
    assert heat(handmade.undecided()[1]).log10.shape == (0, 0)
