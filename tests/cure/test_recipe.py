"""Recipes: what they refuse, and how they are put together."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from gradclinic.cure.recipe import Change, Recipe
from gradclinic.cure.remedy import CannotApply
from gradclinic.errors import UserError
from tests.cure.zoo import mlp

LR, CLIP = Change("learning_rate", {"lr": 0.1}), Change("gradient_clipping", {"kind": "norm", "limit": 1.0})
SWAP = Change("activation_swap", {"to": "tanh"})


def test_changes_stand_in_the_order_of_their_families() -> None:
    assert Recipe.of(CLIP, LR, SWAP).changes == (SWAP, LR, CLIP)
    assert Recipe.of(SWAP).with_change(Change("activation_swap", {"to": "relu"})).changes[0].options == {"to": "relu"}


def test_two_of_a_family_are_refused() -> None:
    with pytest.raises(UserError, match="kaiming_init and xavier_init are both of 'initialization'"):
        Recipe.of(Change("kaiming_init"), Change("xavier_init"))


def test_a_remedy_that_nobody_knows_gets_a_hint() -> None:
    with pytest.raises(UserError, match="did you mean 'kaiming_init'"):
        Recipe.of(Change("kaiming_initt"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is no recipe"),
        ("[1, 2]", "a mapping with a list of changes"),
        ("{gradclinic: 1, changes: {}}", "a mapping with a list of changes"),
        ("{gradclinic: 9, changes: []}", "of version 9"),
        ("{gradclinic: 1, changes: [3]}", "change 1 names no remedy"),
        ("{gradclinic: 1, changes: [{remedy: learning_rate, options: 3}]}", "options of change 1"),
        ("!!python/object/apply:os.system [ls]", "is no recipe"),
        ("{", "is no recipe"),
    ],
)
def test_what_is_no_recipe_is_refused_in_a_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=said) as caught:
        Recipe.load(path)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_or_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot read the recipe"):
        Recipe.load(tmp_path / "none.yaml")
    with pytest.raises(UserError, match="cannot write the recipe"):
        Recipe.of(LR).save(tmp_path / "no" / "folder.yaml")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (Change("activation_swap"), "activation_swap lacks the option 'to'"),
        (Change("optimizer", {"name": "adam", "lr": -1}), "a learning rate is above 0, not -1"),
        (Change("lsuv_init", {"factors": {"nowhere": 2.0}}), "no dense or convolutional layer 'nowhere'"),
        (Change("learning_rate", {"lr": "fast"}), "could not convert"),
    ],
)
def test_options_that_make_no_sense_are_refused_and_all_is_taken_back(change: Change, said: str) -> None:
    model = mlp(2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    before = [p.detach().clone() for p in model.parameters()]
    with pytest.raises(CannotApply, match=said):
        Recipe.of(Change("input_standardization", {"mean": 0.0, "std": 1.0}), change).apply(model, optimizer)
    assert not list(model.buffers())
    assert not model._forward_pre_hooks
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


def test_new_parameters_join_the_optimizer_by_its_first_settings() -> None:
    model = mlp(4)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3, momentum=0.9)
    applied = Recipe.of(Change("normalization", {"kind": "layer"})).apply(model, optimizer)
    held = {p for group in optimizer.param_groups for p in group["params"]}
    assert set(model.parameters()) == held
    assert optimizer.param_groups[1]["momentum"] == 0.9
    applied.undo()
    assert len(optimizer.param_groups) == 1


def test_a_tensor_rate_stays_a_tensor() -> None:
    model = nn.Linear(2, 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=torch.tensor(0.5))
    Recipe.of(LR).apply(model, optimizer)
    rate = optimizer.param_groups[0]["lr"]
    assert isinstance(rate, torch.Tensor)
    assert rate.item() == pytest.approx(0.1)
