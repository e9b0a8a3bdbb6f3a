"""A script that gradclinic has never seen, run with a recipe put in."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from gradclinic.cure import Change, Recipe
from gradclinic.errors import UserError
from gradclinic.schema.finding import Finding
from gradclinic.workflows.command import Command
from gradclinic.workflows.treat import TreatOptions, run_treat
from gradclinic.workflows.treat.for_script import InScript

SCRIPT = """
import sys
import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(3)
X = torch.randn(256, 8)
Y = (X @ torch.randn(8, 3)).argmax(1)

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second, self.out = nn.Linear(8, 16), nn.Linear(16, 16), nn.Linear(16, 3)

    def forward(self, x):
        {before}
        return self.out(torch.sigmoid(self.second(torch.sigmoid(self.first(x)))))

net = Net()
{after}
optimizer = {optimizer}
schedule = torch.optim.lr_scheduler.StepLR(optimizer, 2, 0.5)
losses = []
for step in range(12):
    rows = torch.randperm(256)[:32]
    optimizer.zero_grad()
    loss = F.cross_entropy(net(X[rows]), Y[rows])
    loss.backward()
    optimizer.step()
    schedule.step()
    losses.append(loss.item())
print(losses)
open("ended", "w").close()
"""
SGD = "torch.optim.SGD(net.parameters(), 0.1)"


def script(folder: Path, before: str = "", after: str = "", optimizer: str = SGD) -> Path:
    path = folder / "train.py"
    path.write_text(SCRIPT.format(before=before or "pass", after=after, optimizer=optimizer))
    return path


def plain(path: Path) -> list[float]:
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=True, cwd=path.parent)
    losses: list[float] = json.loads(done.stdout)
    return losses


def trained(path: Path, recipe: Recipe, seed: int = 0, steps: int = 12) -> list[float]:
    ((_, outcome),) = InScript(Command(str(path), False, ()), path.parent).advance([(recipe, seed)], steps)
    assert outcome.ended == ""
    return list(outcome.losses)


def test_without_changes_it_is_the_script_and_it_stops_at_its_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = script(tmp_path)
    assert trained(path, Recipe(), steps=7) == pytest.approx(plain(path)[:7], abs=0)
    (tmp_path / "ended").unlink()
    moved = trained(path, Recipe(), seed=1, steps=3)
    assert not (tmp_path / "ended").exists()
    assert moved != plain(path)[:3]


def test_functional_activations_and_the_optimizer_are_exchanged_and_schedules_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    recipe = Recipe.of(Change("activation_swap", {"to": "relu"}), Change("optimizer", {"name": "adam", "lr": 0.01}))
    path = script(tmp_path)
    found = trained(path, recipe)
    text = path.read_text().replace("torch.sigmoid", "torch.relu")
    path.write_text(text.replace(SGD, "torch.optim.Adam(net.parameters(), 0.01)"))
    assert found == pytest.approx(plain(path), abs=0)


def test_it_sees_what_may_be_changed_by_the_findings(tmp_path: Path) -> None:
    finding = Finding("vanishing_gradient", "saturating_activation", ("sigmoid",), 0, "critical", 0.9, {"x": 1}, "", "")
    told = InScript(Command(str(script(tmp_path)), False, ()), tmp_path).look([asdict(finding)], 12)
    first = [Recipe.from_dict(one["recipe"]) for one in told["candidates"][:8]]
    assert any("activation_swap" in {change.remedy for change in recipe.changes} for recipe in first)
    assert len(told["pool"]) > 5


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"after": "raise RuntimeError('no disk')"}, "RuntimeError: no disk"),
        ({"optimizer": "torch.no_such"}, "no_such"),
    ],
)
def test_a_script_that_fails_is_said_in_one_line(change: dict[str, str], said: str, tmp_path: Path) -> None:
    path = script(tmp_path, **change)
    ((_, outcome),) = InScript(Command(str(path), False, ()), tmp_path).advance([(Recipe(), 0)], 5)
    assert said in outcome.ended
    assert "\n" not in outcome.ended


def test_a_script_that_does_not_train_is_the_users_to_mend(tmp_path: Path) -> None:
    path = tmp_path / "nothing.py"
    path.write_text("import torch\n")
    with pytest.raises(UserError, match=r"no optimizer of torch steps in .*nothing\.py"):
        run_treat(str(path), TreatOptions(out=tmp_path, page=False, live=False))


def test_arguments_are_for_scripts_only(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="arguments are for a script"):
        run_treat("model.py:task", TreatOptions(out=tmp_path, arguments=("--lr", "1")))
