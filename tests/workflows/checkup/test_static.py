"""What a check-up says of the first batch at the initial weights, and what it does not say of healthy neighbours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from torch import nn

import gradclinic

from . import tasks

Built = Callable[[], dict[str, Any]]


def look(build: Built, folder: Path) -> gradclinic.Answer:
    return gradclinic.checkup(build, out=folder)


def static(answer: gradclinic.Answer) -> list[tuple[str, str]]:
    """The findings of a start alone, and where they lie."""
    kinds = ("initial_scale", "precision_headroom")
    return [(finding.cause, finding.where[0]) for finding in answer.findings if finding.condition in kinds]


@pytest.mark.parametrize(
    ("build", "found"),
    [
        (lambda: tasks.regression(lambda y: 300 * y), ("target_scale", "targets")),
        (lambda: tasks.regression(lambda y: 1e-4 * y), ("target_scale", "targets")),
        (lambda: tasks.regression(lambda y: y + 9), ("target_scale", "targets")),
        (tasks.pixels, ("input_scale", "0")),
        (lambda: tasks.wide_head(100.0), ("weight_scale_large", "4")),
        (lambda: tasks.in_float16(tasks.Times(2e4), nn.Tanh()), ("precision_overflow", "2")),
        (lambda: tasks.in_float16(tasks.Times(1e-5)), ("precision_underflow", "0")),
    ],
)  # fmt: skip
def test_what_starts_out_of_scale_is_named(build: Built, found: tuple[str, str], tmp_path: Path) -> None:
    answer = look(build, tmp_path)
    assert found in static(answer), answer.findings
    assert all(f.severity != "critical" for f in answer.findings if (f.cause, f.where[0]) == found)


@pytest.mark.parametrize(
    "build",
    [
        lambda: tasks.regression(lambda y: y),
        lambda: tasks.regression(lambda y: y + 1.5),
        lambda: tasks.pixels(tasks.Times(1 / 255)),
        lambda: tasks.pixels(nn.BatchNorm1d(8)),
        lambda: tasks.wide_head(2.0),
        tasks.in_float16,
        tasks.mixed_precision,
        tasks.in_bfloat16,
        tasks.several_inputs,
    ],
)  # fmt: skip
def test_healthy_neighbours_are_left_alone(build: Built, tmp_path: Path) -> None:
    answer = look(build, tmp_path)
    assert static(answer) == []
    assert answer.verdict == "healthy", answer.headline


def test_targets_that_a_fixed_length_of_step_does_not_reach(tmp_path: Path) -> None:
    """Adam's rate is right for targets of order 1; to raise it ten thousandfold is not the cure."""
    answer = look(lambda: tasks.regression(lambda y: 1e4 * y), tmp_path)
    assert (answer.findings[0].condition, answer.findings[0].cause) == ("stalled_update", "target_scale")
    assert 0 < answer.findings[0].evidence["lr_min_if_scaled"] < 3e-3


def test_a_rate_that_is_too_low_for_any_targets(tmp_path: Path) -> None:
    answer = look(
        lambda: tasks.regression(lambda y: 1e4 * y) | {"optimizer": tasks.made(nn.Linear(1, 1), lr=1e-7)["optimizer"]},
        tmp_path,
    )
    assert (answer.findings[0].condition, answer.findings[0].cause) == ("stalled_update", "learning_rate_low")


def test_a_first_loss_that_overflows_will_not_train(tmp_path: Path) -> None:
    def loss(model: nn.Module, batch: Any) -> Any:
        return ((model(batch[0].half()) - 100 * batch[1].half()) ** 2).sum()

    def build() -> dict[str, Any]:
        parts = tasks.regression(lambda y: y, loss=loss)
        return parts | {"model": parts["model"].half()}

    answer = look(build, tmp_path)
    assert (answer.findings[0].condition, answer.findings[0].cause) == ("non_finite", "precision_overflow")
    assert "this will not train" in answer.headline
