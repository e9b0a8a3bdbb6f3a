"""Files of weights, and what is none."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from gradclinic.cure.pretrained import read_weights
from gradclinic.errors import UserError


def test_a_state_dict_is_read(tmp_path: Path) -> None:
    torch.save({"model": nn.Linear(2, 1).state_dict()}, tmp_path / "a.pt")
    assert read_weights(tmp_path / "a.pt")["model"]["weight"].shape == (1, 2)


def test_what_is_none_is_said_in_a_line(tmp_path: Path) -> None:
    torch.save(nn.Linear(2, 1), tmp_path / "whole.pt")
    torch.save(torch.ones(2), tmp_path / "tensor.pt")
    (tmp_path / "text.pt").write_text("no weights")
    for name, said in (
        ("whole", "without running code"),
        ("tensor", "save model.state_dict"),
        ("text", "without running code"),
        ("none", "No such file"),
    ):
        with pytest.raises(UserError, match=said) as raised:
            read_weights(tmp_path / f"{name}.pt")
        assert "\n" not in str(raised.value)
