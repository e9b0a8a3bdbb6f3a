"""A comparison's page and charts, made by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from math import inf
from typing import Any

import jsonschema
import plotly.graph_objects as go
import pytest

from gradclinic.schema.comparison import (
    ComparisonReport,
    Curve,
    Duel,
    LargerBatch,
    NoiseRow,
    OptimizerRow,
    TrialRow,
)
from gradclinic.show import comparison, json_report
from gradclinic.show.html import comparison_page
from gradclinic.show.html.comparison_chart import (
    batch_chart,
    effort_charts,
    noise_chart,
    rates_chart,
    updates_chart,
)

KNOWN = NoiseRow(0, 0.1, 3.0, 30.0, 20.0, 50.0)
ADAM = OptimizerRow(
    "adam", lr=1e-3, steps=100, window={"low": 1e-5, "stable": 0.1, "start": 3e-3, "why": ""}, trial_steps=20,
    start=2.3, trials=(TrialRow(1e-4, 2.0), TrialRow(1e-3, 0.5), TrialRow(1e-2, 1e20), TrialRow(0.1, inf, "diverged")),
    band=(5e-4, 2e-3), band_ends=(True, True), decades=0.6, loss=(0.1, 0.2), interval=(0.14, 0.05, 0.4),
    metric=(0.9, 0.8), ended=("", ""), curve=Curve((50, 100), (1.0, 0.1), (0.9, 0.05), (1.1, 0.2)), seconds=2e-3,
    updates=((0, 1e-2), (50, 0.0)), update=1e-3, margin=3.0,
    noise=(KNOWN, NoiseRow(50, 1e-9, 3.0, None, 900.0, inf), NoiseRow(100, 1e-9, 3.0, 3e9, 1e9, 9e9)),
    spent={"grid": 300.0, "trainings": 200.0},
)  # fmt: skip
GD = replace(ADAM, name="gd", cost=12, behind=(1.5, 0.9, 2.0), margin=None, noise=(KNOWN,))
DIVERGED = replace(ADAM, name="sgd", interval=None, loss=(0.1, inf), ended=("", "diverged"), metric=(0.9, None))
DEAD = OptimizerRow("rmsprop", "no learning rate lowers the loss", trials=(TrialRow(0.1, inf, "diverged"),), start=2.3)
LEFT = OptimizerRow("gd", "a round of its batches has no end")
TOLD = ComparisonReport(
    "model.py:task", "adam ends lowest.", 100, (1000, 1001), (0, 1), 32, 384, 0.9, True,
    (ADAM, GD, DIVERGED, DEAD), "adam", (LargerBatch(2.0, 64, 0.76, 1.5), LargerBatch(12.0, 384, 0.56, 6.7)),
    (Duel("steps", 100, 0.2, 0.1, 100, (2.0, 1.5, 3.0)),), ("At the start the noise scale is 30.",),
)  # fmt: skip
EMPTY = replace(TOLD, rows=(LEFT,), noise_of=None, larger=(), duels=(), says=(), interrupted=True)


def charts(told: ComparisonReport) -> list[Any]:
    found = [*effort_charts(told), rates_chart(told), noise_chart(told), batch_chart(told), updates_chart(told)]
    return [chart for chart in found if chart is not None]


def test_plotly_accepts_every_figure_and_json_every_number() -> None:
    found = charts(TOLD)
    assert [chart.key for chart in found] == ["steps", "gradients", "time", "rates", "noise", "batch", "updates"]
    for chart in found:
        figure = json.loads(json.dumps(chart.figure(), allow_nan=False))
        go.Figure(figure["data"], figure["layout"])


def test_a_comparison_in_which_nothing_trained_has_no_charts_and_still_a_page() -> None:
    assert charts(EMPTY) == []
    page = comparison_page.page(EMPTY)
    assert "<script" not in page
    assert "INTERRUPTED" in page
    assert "a round of its batches has no end" in page


def test_what_runs_away_does_not_flatten_the_rest() -> None:
    rates, noise = rates_chart(TOLD), noise_chart(TOLD)
    assert rates is not None
    assert noise is not None
    assert rates.layout["yaxis"]["range"][1] < 3
    assert noise.layout["yaxis"]["range"][1] <= 6


def test_a_full_batch_step_counts_for_all_its_gradients() -> None:
    gradients = effort_charts(TOLD)[1]
    lines = {trace["name"]: trace["x"] for trace in gradients.data if "name" in trace}
    assert lines["gd"][-1] == 12 * lines["adam"][-1]


def test_notes_say_what_happened() -> None:
    assert [comparison.note(row, TOLD) for row in TOLD.rows] == [
        "lowest", "as good, 12 gradients a step", "diverged on 1 of 2 seeds", "does not train"
    ]  # fmt: skip
    assert comparison.note(LEFT, EMPTY) == "left out"


def test_a_scale_of_which_only_the_lower_end_is_known_says_so() -> None:
    rows = comparison.noise_rows(TOLD)
    assert rows[1] == ("50", "–", "at least 900", "at most 3%")


def test_a_column_in_which_nothing_stands_is_left_out() -> None:
    bare = replace(TOLD, rows=tuple(replace(row, metric=()) for row in TOLD.rows))
    assert "metric" in comparison.tables(TOLD)[0][1]
    assert "metric" not in comparison.tables(bare)[0][1]


@pytest.mark.parametrize("told", [TOLD, EMPTY])
def test_the_json_holds_to_its_schema(told: ComparisonReport) -> None:
    jsonschema.validate(json.loads(json_report.strict(told.to_dict())), json_report.schema("comparison"))


def test_names_and_errors_cannot_run() -> None:
    evil = "<script>alert(1)</script>\x1b[31m"
    page = comparison_page.page(replace(TOLD, target=evil, headline=evil, rows=(ADAM, replace(DEAD, why=evil))))
    assert "<script>alert" not in page
    assert "\x1b" not in page
