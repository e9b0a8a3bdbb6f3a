"""The frame, on an experiment that measures nothing but its own calls."""

from __future__ import annotations

import json

import pytest
from rich.console import Console

from gradclinic import UserError
from gradclinic.lab import cache, catalogue, verb
from gradclinic.lab.cache import Cache
from gradclinic.lab.experiment import Experiment, Row, at_least, at_most, mean, near, pick, spread
from gradclinic.lab.figures import lines
from gradclinic.lab.outcome import Outcome
from gradclinic.lab.page import page
from gradclinic.lab.runner import run


@pytest.fixture
def counting():
    """An experiment, and the settings that it was asked to measure."""
    asked = []

    def measure(depth, seed):
        asked.append((depth, seed))
        return {"loss": depth + 0.1 * seed, "curve": [1.0, float("nan")], "name": "<b>"}

    experiment = Experiment(
        name="counting",
        title="Counting <i>",
        paper="Nobody 2000",
        quick={"depths": (1, 2)},
        full={"depths": (1, 2, 3)},
        conditions=lambda settings: ({"depth": depth} for depth in settings["depths"]),
        measure=measure,
        judge=lambda rows: [
            near("the loss", 1.55, mean(rows, "loss"), 0.01),
            at_most("deepest", 1, mean(rows, "depth")),
        ],
        draw=lambda rows: [lines("Loss", "says", {"<b>": ([1, 2], [1.0, float("inf")])}, ("depth", "loss"))],
    )
    return experiment, asked


def test_what_was_measured_is_not_measured_again(counting, tmp_path, monkeypatch):
    experiment, asked = counting
    first = run(experiment, seeds=2, folder=tmp_path)
    assert asked == [(1, 0), (1, 1), (2, 0), (2, 1)]
    again = run(experiment, experiment.full, seeds=2, folder=tmp_path)
    assert asked[4:] == [(3, 0), (3, 1)]
    assert [row["loss"] for row in again.rows[:4]] == [row["loss"] for row in first.rows]
    monkeypatch.setattr(cache, "_code", lambda: "another")
    run(experiment, seeds=1, folder=tmp_path)
    assert len(asked) == 8  # other code measures anew


def test_a_damaged_row_is_measured_again(counting, tmp_path):
    experiment, asked = counting
    run(experiment, folder=tmp_path)
    for path in (tmp_path / "counting").glob("*.json"):
        path.write_text('{"setting": {')
    run(experiment, folder=tmp_path)
    assert len(asked) == 4
    assert not list((tmp_path / "counting").glob("*.tmp"))


def test_a_stopped_experiment_keeps_its_rows(counting, tmp_path):
    experiment, asked = counting

    def stop(done, count, what):
        if done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(experiment, folder=tmp_path, tell=stop)
    run(experiment, folder=tmp_path)
    assert asked == [(1, 0), (2, 0)]


def test_the_generators_are_left_as_they_were(counting):
    import torch

    torch.manual_seed(5)
    expected = torch.rand(2)
    torch.manual_seed(5)
    run(counting[0])
    assert torch.equal(torch.rand(2), expected)


def test_the_verdict_the_table_and_the_json(counting):
    outcome = run(counting[0], seeds=2)
    assert [claim.holds for claim in outcome.claims] == [True, False]
    assert outcome.verdict == "partly reproduced"
    headings, table = outcome.table()
    assert headings == ["depth", "loss", "name"]
    assert table == [["1", "1.05 ± 0.071", "<b>"], ["2", "2.05 ± 0.071", "<b>"]]
    read = json.loads(outcome.json())
    assert (read["verdict"], len(read["rows"])) == ("partly reproduced", 4)
    assert read["rows"][0]["values"]["curve"] == [1.0, None]


def test_the_page_escapes_what_it_is_given(counting):
    text = page(run(counting[0]))
    assert "Counting &lt;i&gt;" in text
    assert "<td>&lt;b&gt;</td>" in text
    assert "<b>" not in text.partition('id="figures">')[2].partition("</script>")[0]


def test_claims_judge_numbers_and_refuse_nan():
    assert near("x", 100, 104, 0.05).holds
    assert not near("x", 100, 106, 0.05).holds
    assert near("x", 0, 0.04, 0.05, relative=False).holds
    assert not any(judge("x", 1, float("nan")).holds for judge in (at_least, at_most))
    assert not near("x", 1, float("nan"), 0.5).holds


def test_rows_are_picked_by_their_setting():
    rows = [
        Row({"a": 1, "seed": 0}, {"v": 1.0}),
        Row({"a": 1, "seed": 1}, {"v": 3.0}),
        Row({"a": 2, "seed": 0}, {"v": 9}),
    ]
    assert (mean(pick(rows, a=1), "v"), spread(pick(rows, a=1), "v")) == (2, pytest.approx(2**0.5))


def test_every_experiment_in_the_list_is_there_and_complete():
    for name in catalogue.NAMES:
        experiment = catalogue.find(name)
        assert experiment.name == name
        assert list(experiment.conditions(experiment.quick))
        assert list(experiment.conditions(experiment.full))


def test_what_is_missing_is_said_in_one_line(monkeypatch):
    monkeypatch.setattr(catalogue, "find_spec", lambda name: None if name == "sklearn" else True)
    with pytest.raises(UserError, match="needs scikit-learn: pip install"):
        catalogue.find("gradient-descent")


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="choose another with --out"):
        Cache(tmp_path / "file", "x")


def test_the_verb_writes_what_was_asked_for(counting, tmp_path, monkeypatch):
    monkeypatch.setattr(verb, "find", lambda name: counting[0])
    console = Console(width=100, record=True, quiet=False)
    html, data = tmp_path / "a.html", tmp_path / "a.json"
    outcome = verb.run_experiment("counting", verb.LabOptions(True, 2, tmp_path, html, data), console)
    assert isinstance(outcome, Outcome)
    said = console.export_text()
    assert "PARTLY REPRODUCED" in said
    assert "✓" in said
    assert "✗" in said
    assert json.loads(data.read_text())["experiment"] == "counting"
    assert "Nobody 2000" in html.read_text()
