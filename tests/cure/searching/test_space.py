from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from gradclinic.cure.searching import Space, check_names, own_settings, recipe_of
from gradclinic.cure.tuning.grid import Span
from gradclinic.errors import UserError

SGD = torch.optim.SGD
ADAM = torch.optim.Adam


def optimizer(kind: Callable[..., torch.optim.Optimizer], **options: Any) -> torch.optim.Optimizer:
    return kind(nn.Linear(2, 1).parameters(), lr=0.1, **options)


def test_names_are_put_in_order_and_spelt_as_one_likes() -> None:
    assert check_names([" schedule", "Weight_Decay", "lr", "lr"]) == ("lr", "weight-decay", "schedule")


@pytest.mark.parametrize(
    ("names", "said"),
    [(["momentun"], "did you mean momentum"), (["batch-size"], "the batch size is the task's own"), ([""], "at least")],
)
def test_what_cannot_be_searched_is_said(names: list[str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        check_names(names)


def test_a_setting_that_the_optimizer_has_not_is_said() -> None:
    with pytest.raises(UserError, match="--search momentum: Adagrad has no momentum; give --search lr"):
        Space.of(("lr", "momentum"), optimizer(torch.optim.Adagrad), None)


def test_what_the_user_has() -> None:
    assert own_settings(optimizer(SGD, momentum=0.9)) == {"lr": 0.1, "momentum": 0.9, "weight-decay": 0.0}
    assert own_settings(optimizer(ADAM, betas=(0.8, 0.99)))["momentum"] == 0.8


def test_a_decoupled_decay_may_be_larger() -> None:
    coupled, decoupled = (Space.of(("weight-decay",), optimizer(kind), None) for kind in (SGD, torch.optim.AdamW))
    assert (coupled.decay, decoupled.decay) == (0.1, 1.0)


def test_parameters_stand_for_settings() -> None:
    space = Space(("lr", "momentum", "weight-decay", "schedule"), Span(1e-3, 1.0))
    found = space.settings({"lr": 0.012345, "1 - momentum": 0.05, "weight-decay": 2e-4, "schedule": "cosine"})
    assert found == {"lr": 0.0123, "momentum": 0.95, "weight-decay": 2e-4, "schedule": "cosine"}
    assert space.settings({"weight-decay": 9e-7, "1 - momentum": 1.0}) == {"momentum": 0.0, "weight-decay": 0.0}


@pytest.mark.parametrize("kind", [SGD, ADAM, torch.optim.NAdam, torch.optim.RMSprop])
def test_the_recipe_sets_them_in_the_optimizer(kind: Any) -> None:
    settings = {"lr": 0.02, "momentum": 0.7, "weight-decay": 0.01, "schedule": "linear"}
    model = nn.Linear(2, 1)
    _, changed = recipe_of(settings, 40).apply(model, kind(model.parameters(), lr=0.1))
    (group,) = changed.param_groups
    assert group["weight_decay"] == 0.01
    assert (group["betas"][0] if "betas" in group else group["momentum"]) == 0.7
    assert group["initial_lr"] == 0.02
    # A warm-up of 5% of 40 steps begins with a half.
    assert group["lr"] == pytest.approx(0.01)


def test_no_schedule_is_no_change() -> None:
    assert recipe_of({"schedule": "none"}, 40).changes == ()
