"""Shapes that spread by accident are told from those that are meant to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from gradclinic.measure.replay.losses import accidental_outer


def learned(*shape: int) -> Tensor:
    return torch.randn(*shape, requires_grad=True)


FIXED = torch.randn


@pytest.mark.parametrize(
    ("left", "right", "joint"),
    [
        (learned(8, 1), FIXED(8), [8, 8]),
        (FIXED(8), learned(8, 1), [8, 8]),
        (learned(8, 1, 5), FIXED(8, 5), [8, 8, 5]),
        (learned(8, 5), FIXED(8, 1, 5), [8, 8, 5]),
        (learned(8, 1, 4, 4), FIXED(8, 4, 4), [8, 8, 4, 4]),
        (learned(8, 8, 1), FIXED(8, 8), [8, 8, 8]),
    ],
)
@pytest.mark.parametrize("function", [torch.sub, Tensor.__sub__, F.mse_loss, F.l1_loss])
def test_a_dimension_of_one_too_many(
    function: Callable[..., Any], left: Tensor, right: Tensor, joint: list[int]
) -> None:
    found = accidental_outer(function, (left, right))
    assert found is not None
    assert found["joint"] == joint
    assert (found["left"], found["right"]) == (list(left.shape), list(right.shape))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (learned(8, 1), FIXED(8, 1)),
        (learned(8, 1), FIXED(1, 8)),  # both written out
        (learned(8, 1), learned(8)),  # both learned: pairwise distances
        (FIXED(8, 1), FIXED(8)),
        (learned(8, 5), FIXED(5)),  # a row for each
        (learned(8, 5), FIXED(1)),
        (learned(1, 8), FIXED(8)),  # nothing spreads
        (learned(1, 1), FIXED(1)),
        (learned(8, 1, 5), FIXED(6, 5)),  # prototypes: their number is another
        (learned(8, 1), 3.0),
    ],
)
def test_what_is_meant(left: Any, right: Any) -> None:
    assert accidental_outer(torch.sub, (left, right)) is None


def test_other_calls_are_left_alone() -> None:
    assert accidental_outer(torch.matmul, (learned(8, 1), FIXED(8))) is None
    assert accidental_outer(torch.sub, (learned(8, 1),)) is None
