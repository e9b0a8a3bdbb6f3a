"""The page and charts of a search over several settings, made by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from math import inf, nan
from typing import Any

import jsonschema
import plotly.graph_objects as go
import pytest

from gradclinic.schema.search import FinalRow, Finals, SearchReport, TriedRow
from gradclinic.show import json_report, search
from gradclinic.show.html import search_page
from gradclinic.show.html.search_chart import history_chart, setting_charts

BEST = {"lr": 0.1, "momentum": 0.95, "weight-decay": 0.0, "schedule": "cosine"}
WORSE = {"lr": 0.01, "momentum": 0.0, "weight-decay": 1e-4, "schedule": "none"}
TOLD = SearchReport(
    target="model.py:task", headline="Better.", steps=900, names=("lr", "momentum", "weight-decay", "schedule"),
    space={"lr": [1e-3, 1.0], "momentum": [0.0, 0.99], "weight-decay": [0.0, 0.1],
           "schedule": ["none", "cosine", "linear"]},
    own={"lr": 1e-5, "momentum": 0.9}, best=BEST, by_metric=False, gain=(0.5, 0.4, 0.6), asked=5, trial_steps=90,
    trials=(
        TriedRow(0, WORSE, ((10, 2.0), (30, 1.5), (90, 1.0)), 90, "", 1.0),
        TriedRow(1, BEST, ((10, 1.0), (30, 0.9), (90, 0.5)), 90, "", 0.5),
        TriedRow(2, WORSE, ((10, 3.0),), 10, "pruned", None),
        TriedRow(3, WORSE, ((10, 1.0), (30, nan)), 12, "diverged", None),
    ),
    finals=Finals(80, (1000, 1001), False, (
        FinalRow(BEST, (None, None), (0.4, 0.6), ("", ""), (0.5, 0.4, 0.6)),
        FinalRow(WORSE, (None, None), (0.4, inf), ("", "diverged"), (-0.5, -inf, inf)),
        FinalRow({}, (None, None), (1.0, 1.0), ("", ""), None),
    )),
    proof=Finals(80, (1002, 1003), False, (
        FinalRow(BEST, (None, None), (0.4, 0.6), ("", ""), (0.5, 0.4, 0.6)),
        FinalRow({}, (None, None), (1.0, 1.0), ("", ""), None),
    )),
    window={}, range_test=None, recipe={"gradclinic": 1, "changes": []}, code="a = 1", spent={"trials": 202.0},
)  # fmt: skip
EMPTY = replace(TOLD, trials=(), finals=None, proof=None, best=None, gain=None, recipe=None, code="", interrupted=True)


def charts(told: SearchReport) -> list[Any]:
    return [chart for chart in (history_chart(told), *setting_charts(told)) if chart is not None]


def test_plotly_accepts_every_figure_and_json_every_number() -> None:
    found = charts(TOLD)
    keys = ["history", "over-lr", "over-momentum", "over-weight-decay", "over-schedule"]
    assert [chart.key for chart in found] == keys
    for chart in found:
        figure = json.loads(json.dumps(chart.figure(), allow_nan=False))
        go.Figure(figure["data"], figure["layout"])


def test_the_best_so_far_only_improves() -> None:
    assert search.best_so_far(TOLD) == [1.0, 0.5, 0.5, 0.5]
    assert search.best_so_far(replace(TOLD, by_metric=True)) == [1.0, 1.0, 1.0, 1.0]


def test_the_best_trial_stands_on_top_and_each_has_its_note() -> None:
    heads, rows = search.trial_grid(TOLD)
    assert heads == ("trial", "lr", "momentum", "weight decay", "schedule", "steps", "loss", "")
    assert [(row[0], row[-2], row[-1]) for row in rows] == [
        ("2", "0.5", "proven"), ("1", "1", "finalist"), ("4", "1", "diverged"), ("3", "3", "stopped"),
    ]  # fmt: skip


def test_a_budget_that_did_not_suffice_is_said() -> None:
    assert "the budget was spent before the last 1 of 5" in search.counts(TOLD)
    assert "budget" not in search.counts(replace(TOLD, asked=4))


def test_finals_show_the_mean_the_gain_and_who_ended() -> None:
    _, rows = search.final_grid(TOLD.finals)  # type: ignore[arg-type]
    assert rows[0][1:] == ("0.5", "+0.5", "0.4 to 0.6")
    assert rows[1][1] == "diverged"
    assert rows[2] == ("yours", "1", "", "")


def test_settings_in_words() -> None:
    assert search.settings_say(BEST) == "learning rate 0.1, momentum 0.95, no weight decay, cosine schedule"


def test_a_search_in_which_nothing_was_tried_has_no_charts_and_still_a_page() -> None:
    assert charts(EMPTY) == []
    page = search_page.page(EMPTY)
    assert "<script" not in page
    assert "INTERRUPTED" in page


@pytest.mark.parametrize("told", [TOLD, EMPTY])
def test_the_json_holds_to_its_schema(told: SearchReport) -> None:
    jsonschema.validate(json.loads(json_report.strict(told.to_dict())), json_report.schema("search"))


def test_names_and_errors_cannot_run() -> None:
    evil = "<script>alert(1)</script>\x1b[31m"
    bad = replace(TOLD.trials[3], fate=evil)
    page = search_page.page(replace(TOLD, target=evil, headline=evil, trials=(*TOLD.trials[:3], bad)))
    assert "<script>alert" not in page
    assert "\x1b" not in page


def test_losses_are_shown_by_decades_and_one_that_ran_away_does_not_flatten_the_rest() -> None:
    away = replace(TOLD.trials[0], reported=((10, 2.0), (90, 1e15)), value=1e15)
    chart = history_chart(replace(TOLD, trials=(*TOLD.trials, away)))
    assert chart is not None
    assert chart.layout["yaxis"]["type"] == "log"
    assert chart.layout["yaxis"]["range"][1] < 5
    metric = history_chart(replace(TOLD, by_metric=True))
    assert metric is not None
    assert metric.layout["yaxis"]["type"] == "linear"
