"""A treatment as a user asks for it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import torch

import gradclinic
from gradclinic.errors import UserError
from gradclinic.show import json_report
from gradclinic.workflows.treat import TreatOptions, results, run_treat
from gradclinic.workflows.treat.results import ResultsFile
from tests.cure import tasks


@pytest.fixture(scope="module")
def cured(tmp_path_factory: pytest.TempPathFactory) -> tuple[gradclinic.Treatment, Path]:
    folder = tmp_path_factory.mktemp("cured")
    return gradclinic.treat(tasks.vanishing, out=folder, budget=2, html=True), folder


def test_a_sick_task_is_cured_and_the_report_says_by_what(cured: tuple[gradclinic.Treatment, Path]) -> None:
    treatment, folder = cured
    assert treatment.cured
    assert treatment.headline.startswith("Cured by: ")
    assert treatment.findings[0].cause == "saturating_activation"
    told = treatment.to_dict()
    jsonschema.validate(told, json_report.schema())
    assert (told["kind"], told["cured"]) == ("treat", True)
    arms = {trial["arm"] for trial in told["trials"]}
    assert arms == {"treated", "untreated", "random", None}
    assert told["treatment"]["gain"][1] > 0
    assert told["treatment"]["over_random"][1] > 0
    for text in (str(treatment), (next(folder.glob("*.html"))).read_text()):
        assert "CURED" in text
        assert treatment.recipe.says() in " ".join(text.split())


def test_what_it_proved_holds_on_a_fresh_seed_at_full_length(cured: tuple[gradclinic.Treatment, Path]) -> None:
    found = []
    for recipe in (gradclinic.Recipe(), cured[0].recipe):
        torch.manual_seed(1000)
        parts = tasks.vanishing()
        model, optimizer = recipe.apply(parts["model"], parts["optimizer"](parts["model"].parameters()))
        train(model, optimizer, parts)
        found.append(tasks.accuracy(model))
    assert found[1] > found[0] + 0.2


def train(model: Any, optimizer: Any, parts: dict[str, Any], steps: int | None = None) -> list[float]:
    losses: list[float] = []
    while True:
        for batch in parts["batches"]():
            if len(losses) == (steps or parts["steps"]):
                return losses
            optimizer.zero_grad()
            loss = parts["loss"](model, batch)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())


FRESH = """
import json, sys
import gradclinic, torch
from gradclinic.task import seed_all
from tests.cure import tasks
from tests.workflows.treat.test_treat import train
torch.set_num_threads(1)
seed_all(int(sys.argv[2]))
parts = tasks.vanishing()
recipe = gradclinic.Recipe.load(sys.argv[1])
model, optimizer = recipe.apply(parts["model"], parts["optimizer"](parts["model"].parameters()))
print(json.dumps(train(model, optimizer, parts, int(sys.argv[3]))))
"""


def test_the_recipe_gives_the_winning_trials_losses_to_the_bit_in_a_fresh_process(
    cured: tuple[gradclinic.Treatment, Path], tmp_path: Path
) -> None:
    treatment, _ = cured
    (row,) = (trial for trial in treatment.to_dict()["trials"] if trial["arm"] == "treated")
    path = tmp_path / "cure.yaml"
    treatment.recipe.save(path)
    words = [sys.executable, "-c", FRESH, str(path), str(row["seeds"][0]), str(row["steps"])]
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3])
    assert json.loads(done.stdout) == row["curves"][0]


def test_a_healthy_task_gets_no_cure(tmp_path: Path) -> None:
    treatment = gradclinic.treat(tasks.healthy, out=tmp_path)
    assert not treatment.cured
    assert treatment.verdict == "healthy"


@pytest.mark.parametrize("make", [tasks.without_metric, tasks.constant_metric])
def test_without_a_metric_that_says_anything_the_loss_decides(make: Any, tmp_path: Path) -> None:
    treatment = gradclinic.treat(make, out=tmp_path)
    assert treatment.cured
    assert treatment.to_dict()["treatment"]["by_metric"] is False
    assert "loss" in treatment.headline


def test_it_leaves_the_users_generators_and_task_alone(tmp_path: Path) -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    parts = tasks.too_slow()
    torch.manual_seed(5)
    state = {name: value.clone() for name, value in parts["model"].state_dict().items()}
    gradclinic.treat(parts, out=tmp_path, budget=0.3)
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(value, state[name]) for name, value in parts["model"].state_dict().items())


def test_a_model_that_cannot_be_copied_is_said_in_one_line(tmp_path: Path) -> None:
    parts = tasks.too_slow()
    parts["model"].lock = (x for x in ())  # a generator cannot be copied
    with pytest.raises(UserError, match=r"cannot be copied.*callable"):
        gradclinic.treat(parts, out=tmp_path)


TARGET = """
import sys, time
sys.path.insert(0, {root!r})
from tests.cure import tasks

def task():
    parts = tasks.vanishing()
    def loss(model, batch):
        time.sleep(0.002)
        return tasks.loss(model, batch)
    return parts | {{"loss": loss, "steps": 150}}
"""


def test_a_killed_treatment_goes_on_and_ends_as_if_nothing_had_been(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("model.py").write_text(TARGET.format(root=str(Path(__file__).parents[3])))
    words = [sys.executable, "-m", "gradclinic", "treat", "model.py:task", "--out", "runs", "--no-html"]
    began = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    files = lambda: list(Path("runs").glob(".treat-*.jsonl"))  # noqa: E731
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and not (files() and files()[0].read_text().count("\n") >= 4):
        time.sleep(0.05)
    began.send_signal(signal.SIGKILL)
    began.wait()
    (kept,) = files()
    known = len(ResultsFile(kept)._known)
    assert known >= 4
    resumed, afresh = (gradclinic.treat("model.py:task", out="runs", name=name).to_dict() for name in ("one", "two"))
    (done,) = Path("runs").glob("one.trials.jsonl")
    assert len(done.read_text().splitlines()) > known
    assert not files()
    assert resumed["trials"] == afresh["trials"]
    assert resumed["treatment"]["spent"] == afresh["treatment"]["spent"]


def test_ctrl_c_tells_what_is_known_and_keeps_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gradclinic.cure.trials import Trial

    real, count = Trial.advance, 0

    def interrupted(self: Trial, steps: int) -> Any:
        nonlocal count
        count += 1
        if count == 12:
            raise KeyboardInterrupt
        return real(self, steps)

    monkeypatch.setattr(Trial, "advance", interrupted)
    treatment, _, _ = run_treat(tasks.vanishing, TreatOptions(out=tmp_path, page=False))
    assert treatment.interrupted
    assert "goes on" in treatment.headline
    assert len(treatment.to_dict()["trials"]) > 3
    assert list(tmp_path.glob(".treat-*.jsonl"))


def test_a_line_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    from gradclinic.cure import Recipe
    from gradclinic.cure.trials import Outcome

    file = ResultsFile(tmp_path / "a.jsonl")
    kept = Outcome(2, (1.0, float("inf")), 0.5, "diverged", 0.1)
    file.put((Recipe(), 3), 5, kept)
    with file.path.open("a") as stream:
        stream.write('{"recipe": "", "se')
    again = ResultsFile(file.path)
    assert again.get((Recipe(), 3), 5) == kept
    assert again.get((Recipe(), 4), 5) is None
    assert again.found == 1


def test_another_version_of_the_source_is_another_treatment(tmp_path: Path) -> None:
    one, other = (results.unfinished(tmp_path, "m", "m.py:task", text, 0, 1.0) for text in ("a", "b"))
    assert one != other
