"""What a task's parts give is checked when they give it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from gradclinic.errors import UserError
from gradclinic.task import Task

SPENT = iter([1])


def task(**change: Any) -> Task:
    parts: dict[str, Any] = {
        "model": nn.Linear(2, 1),
        "batches": lambda: iter([1, 2]),
        "loss": lambda m, x: m(torch.ones(3, 2)).sum(),
        "optimizer": lambda p: torch.optim.SGD(p, 0.1),
        "steps": 5,
    }
    return Task(**(parts | change))


def test_batches_begin_again_when_they_run_out() -> None:
    stream = task().stream()
    assert [next(stream) for _ in range(5)] == [1, 2, 1, 2, 1]


@pytest.mark.parametrize(
    ("batches", "says"),
    [
        (list, "gave no batch$"),
        (lambda: 3, "must return an iterator of batches, not int"),
        (lambda: SPENT, "after the first round: return a new iterator"),
    ],
)
def test_batches_that_end_are_named(batches: Callable[[], Any], says: str) -> None:
    stream = task(batches=batches).stream()
    with pytest.raises(UserError, match=says):
        [next(stream) for _ in range(3)]


@pytest.mark.parametrize(
    ("loss", "says"),
    [
        (lambda m, x: m(torch.ones(3, 2)), r"not a tensor of shape \(3, 1\)"),
        (lambda m, x: 0.5, "not float"),
    ],
)
def test_a_loss_is_one_number(loss: Callable[..., Any], says: str) -> None:
    with pytest.raises(UserError, match=says):
        task(loss=loss).loss_of(1)


def test_a_loss_of_one_element_is_a_scalar() -> None:
    assert task(loss=lambda m, x: m(torch.ones(1, 2))).loss_of(1).shape == ()


def test_an_optimizer_is_one() -> None:
    assert isinstance(task().new_optimizer(), torch.optim.SGD)
    with pytest.raises(UserError, match="not list"):
        task(optimizer=list).new_optimizer()


def test_pretrained_is_the_path_of_a_file() -> None:
    with pytest.raises(UserError, match="pretrained must be the path"):
        task(pretrained={})
