"""A search as a user asks for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console

import gradclinic
from gradclinic.cure.trials.trial import Trial
from gradclinic.errors import UserError
from gradclinic.workflows.tune import TuneOptions, run_tune
from tests.cure import tasks

QUICK: dict[str, Any] = {"grid": 5, "seeds": 2, "budget": 2}


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> tuple[gradclinic.Tuning, Path]:
    folder = tmp_path_factory.mktemp("tuned")
    return gradclinic.tune(tasks.too_slow, out=folder, html=True, **QUICK), folder


def test_the_answer_is_a_rate_a_recipe_and_a_page(tuned: tuple[gradclinic.Tuning, Path]) -> None:
    tuning, folder = tuned
    assert tuning.lr is not None
    assert tuning.lr > 1e-3
    assert tuning.recipe.changes[0].to_dict() == {"remedy": "learning_rate", "options": {"lr": tuning.lr}}
    (saved,) = folder.glob("*.yaml")
    assert gradclinic.Recipe.load(saved).changes == tuning.recipe.changes
    (page,) = folder.glob("*.html")
    text = page.read_text()
    assert "TUNED" in text
    assert 'id="range"' in text
    assert 'id="rates"' in text
    assert "https://" not in text.partition("<script>")[0]


def test_the_rate_holds_at_full_length_on_a_fresh_seed(tuned: tuple[gradclinic.Tuning, Path]) -> None:
    found = []
    for recipe in (gradclinic.Recipe(), tuned[0].recipe):
        torch.manual_seed(1000)
        parts = tasks.too_slow()
        model, optimizer = recipe.apply(parts["model"], parts["optimizer"](parts["model"].parameters()))
        taken = 0
        while taken < parts["steps"]:
            for batch in parts["batches"]():
                optimizer.zero_grad()
                parts["loss"](model, batch).backward()
                optimizer.step()
                taken += 1
        found.append(tasks.accuracy(model))
    assert found[1] > found[0] + 0.3


def test_the_json_is_strict_and_whole(tuned: tuple[gradclinic.Tuning, Path], tmp_path: Path) -> None:
    tuning = tuned[0]
    tuning.save_json(tmp_path / "t.json")
    read = json.loads((tmp_path / "t.json").read_text(), parse_constant=pytest.fail)
    assert (read["schema"], read["kind"], read["lr"], read["recipe"]) == (
        1, "tune", tuning.lr, tuning.report.recipe,
    )  # fmt: skip
    assert set(read["range_test"]["suggestions"]) == {"steepest", "valley", "minimum"}
    assert len(read["rounds"][0]["rows"]) >= 5


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_terminal_shows_the_table_and_the_curve(tuned: tuple[gradclinic.Tuning, Path], width: int) -> None:
    console = Console(width=width, color_system=None)
    with console.capture() as caught:
        console.print(tuned[0])
    text = caught.get()
    assert "TUNED" in text
    assert "chosen" in text
    for line in text.splitlines():
        assert len(line) <= width
    marked = next(line for line in text.splitlines() if line.startswith("      ") and "M" in line)
    assert marked.split() != []


def test_the_callers_generators_go_on_as_if_nothing_had_been(tmp_path: Path) -> None:
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    gradclinic.tune(tasks.too_slow, out=tmp_path, grid=2, seeds=1, budget=0.2)
    assert torch.equal(torch.rand(2), expected)


def test_a_search_that_was_interrupted_goes_on_and_ends_as_if_nothing_had_been(
    tuned: tuple[gradclinic.Tuning, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, count = Trial.advance, 0

    def advance(self: Trial, steps: int) -> Any:
        nonlocal count
        count += 1
        if count == 5:
            raise KeyboardInterrupt
        return real(self, steps)

    monkeypatch.setattr(Trial, "advance", advance)
    options = TuneOptions(out=tmp_path, page=False, live=False, **QUICK)
    first = run_tune(tasks.too_slow, options)[0]
    assert first.interrupted
    assert first.headline.startswith("Interrupted after")
    assert first.lr is None
    assert "INTERRUPTED" in str(first)
    again = run_tune(tasks.too_slow, options)[0]
    assert again.report.rounds == tuned[0].report.rounds
    assert again.lr == tuned[0].lr
    # Four trials of the first part were kept, one was cut off, the rest came after.
    trials = sum(len(row.loss) for part in again.report.rounds for row in part.rows)
    assert count == trials + 1


@pytest.mark.parametrize(
    ("options", "said"),
    [({"rates": (1.0, 0.1)}, "from a lower to a higher"), ({"rates": (0.0, 0.1)}, "above 0"),
     ({"grid": 1}, "at least 2 rates"), ({"folds": 1}, "2 folds"), ({"folds": 3}, "key folds"),
     ({"budget": 0.01}, "too few to tell them apart")],
)  # fmt: skip
def test_bad_options_are_said(options: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=said):
        gradclinic.tune(tasks.too_slow, out=tmp_path, **options)


def test_what_the_users_code_raises_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="the disk is gone"):
        gradclinic.tune(tasks.failing, out=tmp_path, **QUICK)
