"""The foresight's figures against independent references, and a small part of the long evaluation itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from corpus.trainability import fit, page, rows, score
from corpus.trainability.measure import measure, outcome_of
from corpus.trainability.outcome import ARRIVED, Outcome, train
from corpus.trainability.rows import Row
from corpus.trainability.setups import BLIND, FAMILIES, FITTED, HELD_BACK, all_setups
from gradclinic.diagnose.forecast.probability import fitted

SETUPS = {setup.name: setup for setup in all_setups()}


@pytest.fixture(scope="module")
def measured() -> list[Row]:
    return rows.load()


def test_every_set_up_was_measured(measured: list[Row]) -> None:
    assert {row.name for row in measured} == set(SETUPS)
    assert set(FITTED) | set(HELD_BACK) | set(BLIND) == set(FAMILIES)


@pytest.fixture(autouse=True)
def _few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bootstrap takes nearly all of the time, and its intervals are not looked at."""
    monkeypatch.setattr(score, "DRAWS", 3)


def test_the_bars_are_reached_on_the_families_held_back(measured: list[Row]) -> None:
    found = score.figures([row for row in measured if row.family in HELD_BACK])
    assert found["auc"] >= 0.97
    assert found["balanced_accuracy"] >= 0.92
    assert found["calibration_error"] <= 0.08
    assert all(other["auc"] < found["auc"] for other in found["others"].values())


def test_the_page_and_the_package_hold_what_was_measured(measured: list[Row]) -> None:
    data = json.loads(score.RESULTS.read_text("utf-8"))
    again = score.results(measured)
    for part, own in data["figures"].items():
        for name in (name for name in own if not name.endswith("_interval")):
            assert again["figures"][part][name] == own[name], (part, name)
    assert again["alone"] == data["alone"]
    text = page.PAGE.read_text("utf-8")
    assert page.filled(text, data) == text
    known = fit.fitted([row for row in measured if row.family in FITTED])
    assert known["weights"] == pytest.approx(fitted().weights, abs=2e-3)
    assert known["intercept"] == pytest.approx(fitted().intercept, abs=2e-3)


def test_a_check_up_measures_today_what_was_kept(measured: list[Row], tmp_path: Path) -> None:
    """One set-up of each kind, end to end: the outcome and the probability are those of the file."""
    kept = {row.name: row for row in measured}
    for name in ("table-05", "bag-07"):
        measure(SETUPS[name], tmp_path)
        (row,) = rows.collect([SETUPS[name]], tmp_path)
        assert outcome_of(tmp_path, SETUPS[name]).trained == kept[name].outcome.trained
        assert row.forecast().probability == pytest.approx(kept[name].forecast().probability, abs=0.05)


def test_an_outcome_is_a_mean_over_all_the_data() -> None:
    setup = SETUPS["table-05"]
    found = train(setup)
    assert found.constant == pytest.approx(setup.data().constant_loss)
    assert found.steps == setup.steps
    assert Outcome(2.0, ARRIVED * 1.0 - 1e-9, 1.0, 5).trained
    assert not Outcome(2.0, ARRIVED * 1.0, 1.0, 5).trained
    assert not Outcome(2.0, float("nan"), 1.0, 5).trained


def test_calibration_against_a_naive_twin() -> None:
    generator = np.random.default_rng(0)
    odds = generator.random(400)
    truth = generator.random(400) < odds**2
    naive = 0.0
    for low in np.arange(0, 1, 0.1):
        inside = (odds >= low) & (odds < low + 0.1)
        naive += abs(odds[inside].mean() - truth[inside].mean()) * inside.mean()
    assert score.calibration_error(truth, odds) == pytest.approx(naive, abs=2e-4)
    assert sum(each["setups"] for each in score.reliability(truth, odds)) == 400


def test_the_page_needs_its_comments() -> None:
    with pytest.raises(ValueError, match="lacks"):
        page.filled("nothing", {})


def test_a_row_survives_the_file(measured: list[Row], tmp_path: Path) -> None:
    rows.save(measured[:3], tmp_path / "a.json")
    assert rows.load(tmp_path / "a.json") == measured[:3]


def test_a_loss_that_is_no_number_is_foretold_to_fail(measured: list[Row]) -> None:
    lost: list[Any] = [row for row in measured if any(e["loss"] is None for _, e in row.events if "loss" in e)]
    assert lost
    assert all((row.forecast().probability or 0.0) < 0.5 for row in lost)
