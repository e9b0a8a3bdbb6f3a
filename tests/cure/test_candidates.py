"""Which recipes get a trial, and in which order."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gradclinic.cure import Change, Recipe
from gradclinic.cure.candidates import bases, candidates, ground_of, proposals
from gradclinic.cure.patient import Patient
from gradclinic.cure.remedies import find_remedy
from gradclinic.cure.screening import Screened, screen
from gradclinic.schema.finding import Finding
from gradclinic.task import find_target, own_generators

from . import tasks


def patient(make: Any, *causes: str) -> Patient:
    found: list[Finding] = [
        Finding("plateau", cause, (), None, "critical", 1.0, {"x": 1}, "", "")  # type: ignore[arg-type]
        for cause in causes
    ]
    with own_generators():
        task = find_target(make).build(0)
        return Patient(task, task.new_optimizer(), tuple(islice(task.stream(), 4)), tuple(found))


def test_what_the_findings_ask_for_comes_first() -> None:
    asked = proposals(patient(tasks.vanishing, "saturating_activation"))
    assert [change.remedy for change in asked[:3]] == ["activation_swap", "normalization", "shortcuts"]
    unasked = proposals(patient(tasks.vanishing))
    sizes = [find_remedy(change.remedy).size for change in unasked]
    first_of_each = sizes[: len({change.remedy for change in unasked})]
    assert first_of_each == sorted(first_of_each)


def test_scales_that_are_off_are_the_ground_of_all_others() -> None:
    def unscaled() -> dict[str, Any]:
        return tasks.made(tasks.stack(), batches=lambda: ((100 * x + 500, y) for x, y in tasks.batches()))

    one = patient(unscaled)
    changes = proposals(one)
    assert [change.remedy for change in ground_of(one, changes).changes] == ["input_standardization"]
    recipes = list(bases(one, changes))
    assert recipes[0].changes == ()
    both = {"input_standardization", "kaiming_init"}
    assert any(both <= {change.remedy for change in recipe.changes} for recipe in recipes)


def test_a_decay_that_no_short_training_shows_is_ground_too() -> None:
    def decayed() -> dict[str, Any]:
        return tasks.made(tasks.stack(), optimizer=lambda p: torch.optim.SGD(p, 0.05, weight_decay=0.3))

    one = patient(decayed)
    assert [change.remedy for change in ground_of(one, proposals(one)).changes] == ["weight_decay"]


def test_weights_are_drawn_for_the_activation_that_is_put_in() -> None:
    one = patient(tasks.vanishing, "saturating_activation")
    for recipe in bases(one, proposals(one)):
        options = {change.remedy: change.options for change in recipe.changes}
        if "activation_swap" in options and "xavier_init" in options:
            assert options["xavier_init"]["nonlinearity"] == options["activation_swap"]["to"]
            break
    else:
        raise AssertionError("the two are never tried together")


def test_the_wider_window_is_tried_first_and_a_rate_outside_is_exchanged() -> None:
    one = patient(tasks.vanishing)
    changes = [Change("kaiming_init", {"nonlinearity": "relu"}), Change("xavier_init", {"nonlinearity": "relu"})]

    def look(recipe: Recipe) -> Screened:
        name = recipe.changes[0].remedy if recipe.changes else ""
        low, stable = {"kaiming_init": (1e-4, 1e-2), "xavier_init": (1e-3, 1e-2)}.get(name, (1.0, 1e-3))
        return Screened(recipe, 0.05, low, stable, stable / 2)

    found = candidates(one, changes, bases(one, changes), look)
    assert found[0].recipe.says() == "Kaiming initialisation for relu, learning rate 0.005"
    said = [candidate.recipe.says() for candidate in found]
    assert said.index("Xavier initialisation for relu, learning rate 0.005") < said.index("learning rate 0.0005")


def test_no_more_is_looked_at_than_the_purse_bears() -> None:
    one = patient(tasks.vanishing)
    looked: list[Recipe] = []

    def look(recipe: Recipe) -> Screened | None:
        looked.append(recipe)
        return None if len(looked) > 3 else Screened(recipe, why="not known")

    assert candidates(one, proposals(one), bases(one, proposals(one)), look)
    assert len(looked) == 4


def test_what_there_is_a_reason_for_is_tried_though_nobody_looked_at_it(tmp_path: Path) -> None:
    torch.save(tasks.stack()[0].state_dict(prefix="0."), tmp_path / "old.pt")

    def pretrained() -> dict[str, Any]:
        far = lambda: ((100 * x + 500, y) for x, y in tasks.batches())  # noqa: E731
        return tasks.made(tasks.stack(), batches=far) | {"pretrained": tmp_path / "old.pt"}

    one = patient(pretrained)
    found = candidates(one, proposals(one), bases(one, proposals(one)), lambda _: None)
    remedies = {change.remedy for change in found[0].recipe.changes}
    assert remedies == {"pretrained_weights", "discriminative_rates"}
    tried = [{change.remedy for change in candidate.recipe.changes} for candidate in found]
    assert {"kaiming_init"} not in tried
    assert not any("input_standardization" in each for each in tried)  # old weights expect what they learned on


@pytest.mark.parametrize(
    ("change", "wider"),
    [
        (Change("normalization", {"kind": "batch"}), True),
        (Change("shortcuts", {"kind": "rezero"}), True),
        (Change("weight_decay", {"weight_decay": 1e-3}), False),
    ],
)
def test_screening_sees_without_training_what_opens_the_window(change: Change, wider: bool) -> None:
    with own_generators():
        target = find_target(tasks.vanishing)
        batches = tuple(islice(target.build(0).stream(), 2))
        before, after = (screen(target, recipe, 0, batches) for recipe in (Recipe(), Recipe.of(change)))
    assert before.width < 0  # empty
    assert (after.width > before.width + 3) is wider


def test_what_cannot_be_screened_says_why() -> None:
    def searching() -> dict[str, Any]:
        return tasks.made(tasks.stack(), optimizer=torch.optim.LBFGS)

    with own_generators():
        target = find_target(searching)
        found = screen(target, Recipe(), 0, tuple(islice(target.build(0).stream(), 2)))
    assert "LBFGS" in found.why
    assert found.width != found.width


def test_a_recurrent_network_starts_at_a_smaller_share_of_its_limit() -> None:
    def start(model: nn.Module) -> float:
        target = find_target(lambda: tasks.made(model))
        found = screen(target, Recipe(), 0, tuple(islice(target.build(0).stream(), 2)))
        return found.start / found.stable

    class Recurrent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell, self.head = nn.RNN(1, 8, batch_first=True), nn.Linear(8, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.cell(x.unsqueeze(-1))[0][:, -1])

    with own_generators():
        assert start(Recurrent()) == pytest.approx(start(tasks.stack()) / 2)
