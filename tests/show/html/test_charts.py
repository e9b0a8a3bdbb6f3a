"""The charts as plain data, checked against plotly's own schema of figures."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import plotly.graph_objects as go
import pytest

from gradclinic.schema.ledger import Activity, Ledger, Line
from gradclinic.show.html.activity_chart import activity_chart
from gradclinic.show.html.figure import Chart, name
from gradclinic.show.html.heat_chart import STATE_COLOURS, heat_chart
from gradclinic.show.html.ledger_chart import KIND_COLOURS, MAX_BARS, ledger_chart
from gradclinic.show.html.loss_chart import loss_chart, thinned
from gradclinic.show.html.page import script_json
from gradclinic.show.html.signal_chart import signal_chart
from gradclinic.show.html.update_chart import update_chart
from gradclinic.show.html.window_chart import window_chart

from .. import handmade


def charts(report, record):
    made = [loss_chart(report, record), heat_chart(report, record), ledger_chart(report), update_chart(record)]
    made += [window_chart(report), signal_chart(report)]
    return [chart for chart in [*made, activity_chart(report)] if chart]


ALL = (handmade.sick, handmade.healthy, handmade.poisoned, handmade.foreseen, handmade.hopeless)


@pytest.mark.parametrize("make", ALL, ids=lambda make: make.__name__)
def test_plotly_accepts_every_figure_and_json_every_number(make):
    for chart in charts(*make()):
        figure = chart.figure()
        go.Figure(data=figure["data"], layout=figure["layout"])  # raises on an unknown property
        assert "NaN" not in script_json(figure)
        for path in figure["narrow"]:
            axis, _, key = path.partition(".")
            assert len(figure["narrow"][path]) == len(figure["layout"][axis][key])


def test_an_empty_run_has_no_charts():
    assert charts(*handmade.undecided()) == []


def trace(chart: Chart, start: str):
    return next(each for each in chart.data if each.get("name", "").startswith(start))


def test_the_waterfall_ends_at_the_total_and_each_bar_starts_where_the_last_one_ended():
    report, _ = handmade.sick()
    chart = ledger_chart(report)
    bars = sorted(
        (x, base, y)
        for each in chart.data
        if each["type"] == "bar"
        for x, base, y in zip(each["x"], each["base"], each["y"], strict=True)
    )
    assert [x for x, _, _ in bars] == list(range(38))  # head first, the loss's own line left out
    assert bars[0][1] == 0
    for (_, base, y), (_, following, _) in pairwise(bars):
        assert following == pytest.approx(base + y, abs=1e-4)
    assert bars[-1][1] + bars[-1][2] == pytest.approx(report.ledger.total, abs=1e-4)
    assert trace(chart, "activations −18.8")["marker"]["color"] == KIND_COLOURS["activation"]
    assert trace(chart, "activations")["customdata"][0] == (
        "<b>Sigmoid</b> in net.37<br>activation<br>−0.99 decades, −1.00 so far"
    )


def test_a_long_recurrence_is_grouped_and_says_so():
    lines = tuple(Line(-i, "activation" if i % 2 else "weight", "rnn", "Tanh", -0.01) for i in range(5000))
    ledger = Ledger((), lines, -50.0, 0.0)
    chart = ledger_chart(handmade.report("sick", "x", ledger=ledger))
    assert sum(len(each["x"]) for each in chart.data if each["type"] == "bar") == MAX_BARS
    assert chart.data[-1]["y"][-1] == pytest.approx(-50.0, rel=1e-3)
    assert "5,000 operations are shown in 400 bars" in chart.says


def test_the_loss_curve_marks_findings_clipping_and_nan():
    report, record = handmade.poisoned()
    skipped = replace(record.steps[5], skipped=True)
    record = replace(record, steps=(*record.steps[:5], skipped, *record.steps[6:]))
    chart = loss_chart(report, record)
    assert [shape["x0"] for shape in chart.layout["shapes"]] == [30]
    assert trace(chart, "nan or inf (10)")["x"] == list(range(30, 40))
    assert trace(chart, "gradient clipped (2)")["x"] == [19, 39]
    assert trace(chart, "step skipped (1)")["x"] == [5]
    assert trace(chart, "learning rate")["yaxis"] == "y2"
    assert len(trace(chart, "loss")["x"]) == 30
    assert "It was nan or inf at 10 steps" in chart.says


def test_a_loss_over_many_decades_gets_a_logarithmic_axis_and_one_below_zero_does_not():
    report, _ = handmade.healthy()

    def kind(loss):
        record = handmade.record(1, 20, norm=lambda k, t: 1.0, loss=loss)
        return loss_chart(report, record).layout["yaxis"].get("type", "linear")

    assert kind(lambda t: 10.0**-t) == "log"
    assert kind(lambda t: 2.0 + t) == "linear"
    assert kind(lambda t: -(10.0**t)) == "linear"


def test_thinning_keeps_the_ends_and_every_spike():
    points = [(t, 1.0) for t in range(100_000)]
    points[54_321] = (54_321, 99.0)
    points[7] = (7, -5.0)
    kept = thinned(points, 600)
    assert len(kept) <= 1202
    assert {(54_321, 99.0), (7, -5.0), points[0], points[-1]} <= set(kept)
    assert kept == sorted(kept)


def test_the_heat_map_shows_states_in_colours_of_their_own():
    chart = heat_chart(*handmade.poisoned())
    colours = {meaning: colour for colour, meaning in chart.legend}
    assert colours == {
        "exactly zero (10 cells)": STATE_COLOURS["zero"],
        "nan or inf (70 cells)": STATE_COLOURS["non_finite"],
        "no gradient (40 cells)": STATE_COLOURS["absent"],
    }
    numbers = chart.data[0]["z"]
    assert len(numbers) == 8
    assert numbers[2] == [None] * 40  # absent
    assert numbers[0][:30] == pytest.approx([np.log10(0.2 * np.sqrt(1 + 1 / 64))] * 30, abs=1e-3)
    assert numbers[0][30:] == [None] * 10


def test_a_long_run_is_thinned_and_says_so():
    record = handmade.record(2, 1500, norm=lambda k, t: 1.0, loss=lambda t: 1.0)
    chart = heat_chart(handmade.report("healthy", "x"), record)
    assert len(chart.data[0]["x"]) == 600
    assert "1,500 recorded steps are shown in 600 columns" in chart.says


def test_updates_first_median_and_last_and_the_layer_that_stands_still():
    record = handmade.record(3, 30, norm=lambda k, t: 0.0 if k == 1 and t >= 20 else 1.0 + t, loss=lambda t: 1.0)
    chart = update_chart(record)
    ratio = 0.1 / 4.0
    assert trace(chart, "first")["y"] == pytest.approx([ratio] * 3, rel=1e-3)
    assert trace(chart, "median")["y"][0] == pytest.approx(ratio * 11, rel=1e-3)
    assert trace(chart, "last")["y"] == [pytest.approx(ratio * 21, rel=1e-3), None, pytest.approx(ratio * 21, rel=1e-3)]
    assert trace(chart, "did not move")["x"] == [1]
    assert "1 layer did not move" in chart.says


def test_activation_statistics():
    report, _ = handmade.sick()
    chart = activity_chart(report)
    assert trace(chart, "saturated")["y"] == [0.93] * 19
    assert trace(chart, "dead units")["y"] == pytest.approx([2 / 64] * 19, rel=1e-3)
    assert "38 of 1,216 units are dead" in chart.says


def test_an_activation_that_gives_zero_only_does_not_break_the_chart():
    dead = Activity("a", "Relu", 1, 0, 1.0, (), 0, 0.0, 0, 0.0)
    ledger = Ledger((), (), None, 0.0, (dead, replace(dead, rms=math.nan, saturated_fraction=math.nan)))
    chart = activity_chart(handmade.report("sick", "x", ledger=ledger))
    assert script_json(chart.figure())


def test_names_are_escaped_for_plotly_which_reads_tags():
    assert name("<a href='x'>&amp;") == "&lt;a href='x'&gt;&amp;amp;"
    assert name("a\x1b[0m") == "a\\x1b[0m"
    assert len(name("x" * 100, 10)) == 10


def test_the_window_is_a_bar_from_end_to_end_with_the_rate_on_it():
    chart = window_chart(handmade.foreseen()[0])
    bar = trace(chart, "can train")
    assert (bar["base"][0], bar["base"][0] + bar["x"][0]) == pytest.approx((1e-4, 0.1))
    assert trace(chart, "your learning rate")["x"] == [1e-3]
    assert "0.001 lies inside the window" in chart.says
    low, high = chart.layout["xaxis"]["range"]
    assert low < -4
    assert high > -1


def test_an_empty_window_has_no_bar_and_says_so():
    chart = window_chart(handmade.hopeless()[0])
    assert not any(each.get("name") == "can train" for each in chart.data)
    assert "no learning rate can train this" in chart.says
    assert window_chart(handmade.sick()[0]) is None


def test_the_signal_by_depth_beside_the_theory():
    report, _ = handmade.foreseen()
    chart = signal_chart(report)
    assert trace(chart, "mean square")["y"] == pytest.approx([0.1 * 0.5**k for k in range(5)], rel=1e-3)
    assert trace(chart, "theory")["y"] == pytest.approx([0.1 * 0.49**k for k in range(5)], rel=1e-3)
    assert trace(chart, "how alike")["y"] == pytest.approx([1 - 0.5 ** (k + 1) for k in range(5)], rel=1e-3)
    assert "from 0.50 to 0.9688" in chart.says
    short = report.checkup | {"phases": {"stacks": [report.checkup["phases"]["stacks"][0] | {"layers": []}]}}
    assert signal_chart(replace(report, checkup=short)) is None
