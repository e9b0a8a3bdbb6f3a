"""A search over several settings as a user asks for it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import torch
from rich.console import Console

import gradclinic
from gradclinic.cure.trials.trial import Trial
from gradclinic.errors import UserError
from gradclinic.show import json_report
from gradclinic.workflows.tune import SearchOptions, run_search
from tests.cure import tasks

QUICK: dict[str, Any] = {"trials": 8, "seeds": 2, "budget": 3.0}
NAMES = "lr,momentum,schedule"
ROOT, SOURCE = Path(__file__).parents[3], Path(gradclinic.__file__).parents[1]

TARGET = """
import sys, time
sys.path.insert(0, {root!r})
from tests.cure import tasks

def task():
    parts = tasks.too_slow()
    def loss(model, batch):
        time.sleep(0.001)
        return tasks.loss(model, batch)
    return parts | {{"loss": loss, "steps": 200}}
"""


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> tuple[gradclinic.Searched, Path]:
    folder = tmp_path_factory.mktemp("searched")
    return gradclinic.search(tasks.too_slow, NAMES, out=folder, html=True, **QUICK), folder


def test_the_answer_is_settings_a_recipe_a_page_and_optunas_study(searched: tuple[gradclinic.Searched, Path]) -> None:
    found, folder = searched
    assert found.best is not None
    assert set(found.best) == {"lr", "momentum", "schedule"}
    (saved,) = folder.glob("*.yaml")
    assert gradclinic.Recipe.load(saved).changes == found.recipe.changes
    # A schedule of the recipe spans the user's training, not a trial.
    assert all(change.options.get("steps", 600) == 600 for change in found.recipe.changes)
    (page,) = folder.glob("*.html")
    for part in ("TUNED", 'id="history"', 'id="over-lr"', 'id="over-momentum"', 'id="over-schedule"'):
        assert part in page.read_text()
    (study,) = folder.glob("*.optuna")
    assert study.stat().st_size
    assert not list(folder.glob(".tune-*"))


def test_what_was_found_holds_at_full_length_on_a_fresh_seed(searched: tuple[gradclinic.Searched, Path]) -> None:
    found = []
    for recipe in (gradclinic.Recipe(), searched[0].recipe):
        torch.manual_seed(5000)
        parts = tasks.too_slow()
        model, optimizer = recipe.apply(parts["model"], parts["optimizer"](parts["model"].parameters()))
        for _ in range(parts["steps"] // 12):
            for batch in parts["batches"]():
                optimizer.zero_grad()
                parts["loss"](model, batch).backward()
                optimizer.step()
        found.append(tasks.accuracy(model))
    assert found[1] > found[0] + 0.3


def test_the_json_holds_to_its_schema(searched: tuple[gradclinic.Searched, Path], tmp_path: Path) -> None:
    searched[0].save_json(tmp_path / "s.json")
    read = json.loads((tmp_path / "s.json").read_text(), parse_constant=pytest.fail)
    jsonschema.validate(read, json_report.schema("search"))
    assert (read["kind"], read["best"], len(read["trials"])) == ("search", searched[0].best, 8)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_terminal_shows_trials_and_finals(searched: tuple[gradclinic.Searched, Path], width: int) -> None:
    console = Console(width=width, color_system=None)
    with console.capture() as caught:
        console.print(searched[0])
    text = caught.get()
    for part in ("TUNED", "proven", "best so far", "gain over yours", "yours", "searched"):
        assert part in text
    assert max(map(len, text.splitlines())) <= width


def test_settings_that_are_good_already_are_kept_and_no_recipe_is_written(tmp_path: Path) -> None:
    options = SearchOptions(("momentum",), 4, 2, budget=3.0, out=tmp_path, page=False, live=False)
    found, page, recipe = run_search(tasks.healthy, options)
    assert found.best is None
    assert found.headline.startswith("Keep your own settings")
    assert "KEPT" in str(found)
    assert (page, recipe, found.report.recipe) == (None, None, None)


def test_a_search_that_was_killed_goes_on_and_ends_as_if_nothing_had_been(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("model.py").write_text(TARGET.format(root=str(ROOT)))
    words = "tune model.py:task --search lr,momentum,schedule --trials 8 --seeds 2 --budget 3 --out runs --no-html"
    command = [sys.executable, "-m", "gradclinic", *words.split()]
    began = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=os.environ | {"PYTHONPATH": str(SOURCE)})
    files = lambda: list(Path("runs").glob(".tune-*.jsonl"))  # noqa: E731
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and not (files() and files()[0].read_text().count("\n") >= 5):
        time.sleep(0.02)
    began.send_signal(signal.SIGKILL)
    began.wait()
    assert len(list(Path("runs").glob(".tune-*.optuna"))) == 1
    trained: list[int] = []
    real = Trial.advance

    def advance(self: Trial, steps: int) -> Any:
        trained.append(steps)
        return real(self, steps)

    monkeypatch.setattr(Trial, "advance", advance)
    resumed = gradclinic.search("model.py:task", NAMES, out="runs", name="one", **QUICK).report
    again = len(trained)
    afresh = gradclinic.search("model.py:task", NAMES, out="runs", name="two", **QUICK).report
    assert resumed.to_dict() == afresh.to_dict()
    assert again <= len(trained) - again - 5


def test_ctrl_c_tells_what_is_known_and_the_same_call_goes_on(
    searched: tuple[gradclinic.Searched, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, count = Trial.advance, 0

    def advance(self: Trial, steps: int) -> Any:
        nonlocal count
        count += 1
        if count == 11:
            raise KeyboardInterrupt
        return real(self, steps)

    monkeypatch.setattr(Trial, "advance", advance)
    options = SearchOptions(tuple(NAMES.split(",")), 8, 2, budget=3.0, out=tmp_path, page=False, live=False)
    first = run_search(tasks.too_slow, options)[0]
    assert first.interrupted
    assert first.headline.startswith("Interrupted after")
    assert "INTERRUPTED" in str(first)
    jsonschema.validate(json.loads(json_report.strict(first.to_dict())), json_report.schema("search"))
    again = run_search(tasks.too_slow, options)[0].report
    assert again.to_dict() == searched[0].report.to_dict()


@pytest.mark.parametrize("on", ["processes", "ray"])
def test_several_jobs_are_asked_for_together_and_train_to_the_same_bits(
    on: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("model.py").write_text(TARGET.format(root=str(ROOT)))
    monkeypatch.setenv("PYTHONPATH", str(SOURCE))
    few = QUICK | {"trials": 4}  # all whole, so that they are planned alike
    alone = gradclinic.search("model.py:task", NAMES, out="runs", **few).report
    found = gradclinic.search("model.py:task", NAMES, out="runs", jobs=2, on=on, **few).report
    assert found.trials[0] == alone.trials[0]
    # The second was asked for beside the first one, and knew nothing of it.
    assert found.trials[1].settings != alone.trials[1].settings
    assert len(found.trials) == 4


def test_the_callers_generators_go_on_as_if_nothing_had_been(tmp_path: Path) -> None:
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    gradclinic.search(tasks.too_slow, "lr", out=tmp_path, trials=2, seeds=2, budget=1)
    assert torch.equal(torch.rand(2), expected)


@pytest.mark.parametrize(
    ("settings", "options", "said"),
    [("lr", {"seeds": 1}, "2 seeds"), ("lr", {"rates": (1.0, 0.1)}, "from a lower to a higher"),
     ("momentum", {"rates": (0.1, 1.0)}, "--range is of learning rates"), ("lr", {"trials": 0}, "at least 1 trial"),
     ("lr", {"budget": 0.01}, "give --budget"), ("dropout", {}, "knows no 'dropout'")],
)  # fmt: skip
def test_bad_options_are_said(settings: str, options: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=said):
        gradclinic.search(tasks.too_slow, settings, out=tmp_path, **options)


def test_without_optuna_it_is_said_and_nothing_else_needs_it() -> None:
    code = (
        "import sys; sys.modules['optuna'] = None\n"
        "import gradclinic.workflows.tune as tune, gradclinic.cure.searching, gradclinic.cli.tune\n"
        "from gradclinic.cli import main\n"
        "import importlib.util as util\n"
        "real = util.find_spec; tune.search.__globals__['find_spec'] = lambda n: None if n == 'optuna' else real(n)\n"
        "sys.exit(main(['tune', 'model.py:task', '--search', 'lr']))"
    )
    environment = os.environ | {"PYTHONPATH": str(SOURCE)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "pip install 'gradclinic[tune]'" in done.stderr
