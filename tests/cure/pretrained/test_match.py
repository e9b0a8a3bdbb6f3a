"""Partial loading by name and shape."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gradclinic.cure.pretrained import load_matching
from gradclinic.errors import UserError


def test_what_fits_is_loaded_and_the_rest_is_told() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 4), nn.Linear(4, 1))
    before = model[2].weight.detach().clone()
    state = {
        "0.weight": torch.full((3, 2), 7.0),
        "1.running_mean": torch.full((3,), 5.0),
        "2.weight": torch.zeros(5, 3),
        "old.weight": torch.zeros(1),
    }
    match = load_matching(model, state)
    assert match.loaded == ("0.weight", "1.running_mean")
    assert match.reshaped == (("2.weight", (4, 3), (5, 3)),)
    assert match.unused == ("old.weight",)
    assert "3.weight" in match.missing
    assert bool((model[0].weight == 7).all())
    assert bool((model[1].running_mean == 5).all())
    assert torch.equal(model[2].weight, before)
    assert "2.weight [4, 3] for [5, 3]" in str(match)


@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.", "_orig_mod.module."])
@pytest.mark.parametrize("place", [None, "state_dict", "model"])
def test_wrappers_and_checkpoints_are_seen_through(prefix: str, place: str | None) -> None:
    weights = {f"{prefix}weight": torch.ones(1, 2), f"{prefix}bias": torch.ones(1)}
    model = nn.Linear(2, 1)
    match = load_matching(model, {place: weights, "epoch": 3} if place else weights)
    assert match.loaded == ("weight", "bias")
    assert bool((model.weight == 1).all())


def test_nothing_that_fits_is_said_in_a_line() -> None:
    with pytest.raises(UserError, match=r"there are other.weight, here weight, bias"):
        load_matching(nn.Linear(2, 1), {"other.weight": torch.ones(1)})
