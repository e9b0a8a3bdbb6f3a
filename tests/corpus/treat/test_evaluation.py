"""The evaluation from end to end, on two tasks of a few steps, and what is made of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from corpus.treat import kept, page, references, score
from corpus.treat.evaluate import PARTS, evaluate_row
from corpus.treat.judged import judge
from tests.corpus.treat.samples import REFERENCE, TINY


def test_two_tiny_tasks_from_end_to_end(tmp_path: Path) -> None:
    known = {}
    for row in TINY:
        known[row.name] = references.reference(row)
        said = evaluate_row(row, tmp_path)
        assert said.startswith(row.name)
        assert set(kept.load(tmp_path, row.name)) == set(PARTS)
    assert references.as_claimed(TINY[0], known["slow"])
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    evaluate_row(TINY[0], tmp_path)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before
    data = score.results(TINY, tmp_path, known)
    assert [each["name"] for each in data["rows"]] == ["slow", "sound"]
    assert data["figures"]["sick"]["tasks"] == data["figures"]["healthy"]["tasks"] == 1
    filled = page.filled(f"before {page.BEGIN} old {page.END} after", data)
    assert filled.startswith("before")
    assert "old" not in filled
    assert page.filled(filled, data) == filled
    score.write(data, tmp_path / "results.json")
    assert json.loads((tmp_path / "results.json").read_text("utf-8"))["rows"] == data["rows"]


def measured(after: list[float], *changes: dict[str, Any], claimed: bool = True) -> dict[str, Any]:
    def runs(metrics: list[float]) -> list[dict[str, float]]:
        return [{"metric": metric, "seconds": 2.0, "steps": 120} for metric in metrics]

    return {
        "treatment": {
            "verdict": "sick",
            "cured": claimed,
            "changes": list(changes),
            "spent": {"proof": 60},
            "seconds": 4,
        },
        "runs": {"untreated": runs([10.0, 20.0, 30.0]), "handed": runs(after)},
        "chance": {"runs": runs([50.0, 50.0, 50.0])},
    }


CLIP = {"remedy": "gradient_clipping", "options": {"kind": "norm", "limit": 1.0}}


def test_a_task_is_cured_within_five_points_of_the_best_on_the_mean() -> None:
    found = judge(TINY[0], measured([87.0, 88.0, 86.1], CLIP), REFERENCE)
    assert (found.reference, found.cured, found.seeds_cured, found.holds) == (92.0, True, 2, True)
    assert found.rank == 2  # clipping has size 3: the rate is smaller, the normalisation is not, the poor one cures not
    assert (found.gradients, found.seconds) == (0.5, 2.0)
    assert not found.cured_by_chance
    assert not judge(TINY[0], measured([87.0, 88.0, 85.9], CLIP), REFERENCE).cured


def test_a_claim_holds_where_every_seed_gains_and_harm_is_two_points() -> None:
    assert not judge(TINY[0], measured([90.0, 90.0, 30.0]), REFERENCE).holds
    assert judge(TINY[1], measured([8.0, 18.0, 27.0]), REFERENCE).worse
    assert not judge(TINY[1], measured([8.0, 18.0, 28.0]), REFERENCE).worse


def test_a_recipe_that_is_not_claimed_to_cure_is_not_used() -> None:
    found = judge(TINY[0], measured([92.0, 92.0, 92.0], CLIP, claimed=False), REFERENCE)
    assert (found.treated, found.handed, found.rank) == (20.0, 92.0, None)
    assert found.cured_unproven
    assert not found.cured
    harmed = judge(TINY[1], measured([8.0, 18.0, 27.0], CLIP, claimed=False), REFERENCE)
    assert harmed.worse_unproven
    assert not harmed.worse


def test_seconds_are_those_of_a_training_that_went_to_its_end() -> None:
    data = measured([90.0, 90.0, 90.0], CLIP)
    data["runs"]["untreated"] = [{"metric": 0.0, "seconds": 0.01, "steps": 1}] * 3
    assert judge(TINY[0], data, REFERENCE).seconds == 2.0
    data["runs"]["handed"] = data["runs"]["untreated"]
    assert judge(TINY[0], data, REFERENCE).seconds is None


def test_a_page_without_its_place_is_refused() -> None:
    with pytest.raises(ValueError, match="lacks"):
        page.filled("nothing", {})
