"""A check-up as a user calls it: what it says, what it leaves alone, and what cannot be measured."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import gradclinic
from gradclinic.workflows.checkup import CheckupOptions, examine, run_checkup
from gradclinic.workflows.diagnose import diagnose_run

from . import tasks


def look(name: str, folder: Path) -> gradclinic.Answer:
    return gradclinic.checkup(getattr(tasks, name), out=folder)


@pytest.mark.parametrize(
    ("name", "verdict", "state", "cause"),
    [
        ("healthy", "healthy", "inside", None),
        ("too_slow", "sick", "below", "learning_rate_low"),
        ("too_fast", "sick", "above", "learning_rate_high"),
        ("deep_sigmoid", "sick", "empty", "saturating_activation"),
    ],
)
def test_what_it_says(name: str, verdict: str, state: str, cause: str | None, tmp_path: Path) -> None:
    answer = look(name, tmp_path)
    told = answer.to_dict()
    assert (answer.verdict, told["kind"]) == (verdict, "checkup")
    assert told["window"]["state"] == state
    assert (told["trains"]["probability"] >= 0.5) is (verdict == "healthy")
    assert (answer.findings[0].cause if cause else None) == cause
    assert ("will train" if verdict == "healthy" else "will not train") in answer.headline
    (record,) = tmp_path.glob("checkup-*.db")
    again = diagnose_run(str(record))
    assert again.to_dict() == told


KINDS = (
    "dropout_and_norm", "custom_function", "checkpointed", "checkpointed_reentrant", "several_inputs", "compiled",
    "frozen_part", "mixed_precision", "in_bfloat16", "wrapped_by_compile", "loaded",
)  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_models_of_every_kind_are_measured_in_full(name: str, tmp_path: Path) -> None:
    answer = look(name, tmp_path)
    assert [event.data for event in answer.record.events if event.kind in ("unmeasured", "capture_failure")] == []
    assert answer.verdict == "healthy", answer.headline
    assert answer.to_dict()["window"]["state"] == "inside"


@pytest.mark.parametrize(("name", "where"), [("hooked", "3"), ("wrong_function", "Halved")])
def test_a_wrong_gradient_is_named_once(name: str, where: str, tmp_path: Path) -> None:
    answer = look(name, tmp_path)
    wrong = [finding for finding in answer.findings if finding.cause == "wrong_backward"]
    assert answer.verdict == "sick"
    assert [finding.where[0] for finding in wrong] == [where]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("lbfgs", "not applicable"),
        ("muon", "mixes the elements of a matrix"),
        ("only_parts", "never calls the model itself"),
    ],
)
def test_what_cannot_be_measured_is_said_and_the_rest_is_there(name: str, says: str, tmp_path: Path) -> None:
    answer = look(name, tmp_path)
    assert any(says in event.data["why"] for event in answer.record.events if event.kind == "unmeasured")
    assert answer.to_dict()["run"]["steps"] == 24
    assert answer.verdict in ("healthy", "undecided")


def test_a_loss_without_a_least_value_has_no_forecast(tmp_path: Path) -> None:
    answer = look("adversary", tmp_path)
    assert answer.to_dict()["trains"] is None


def state(model: nn.Module) -> list[Any]:
    tensors = [*model.parameters(), *model.buffers()]
    return [t.detach().clone() for t in tensors] + [random.getstate(), torch.get_rng_state()]


def test_a_given_task_and_all_generators_are_left_as_they_were(tmp_path: Path) -> None:
    parts = tasks.dropout_and_norm()
    model = parts["model"]
    before, numpy = state(model), np.random.get_state()[1].copy()  # type: ignore[index]
    gradclinic.checkup(parts, out=tmp_path)
    for old, new in zip(before, state(model), strict=True):
        assert torch.equal(old, new) if isinstance(old, torch.Tensor) else old == new
    assert np.array_equal(numpy, np.random.get_state()[1])  # type: ignore[index]
    assert all(parameter.grad is None for parameter in model.parameters())


def test_the_same_seed_gives_the_same_answer(tmp_path: Path) -> None:
    told = [look("healthy", tmp_path / name).to_dict() for name in ("a", "b")]
    for each in told:
        each["cost"], each["run"] = {}, {}
        for line in each["ledger"]["lines"]:
            del line["sequence"]  # autograd counts all operations of the process
    assert told[0] == told[1]


def test_a_loss_that_writes_to_its_batch_is_measured_as_one_that_does_not(tmp_path: Path) -> None:
    told = [
        gradclinic.checkup(lambda in_place=each: tasks.doubling(in_place), out=tmp_path / str(each)).to_dict()
        for each in (False, True)
    ]
    assert told[0]["window"] == told[1]["window"]
    assert told[0]["trains"] == told[1]["trains"]


def test_state_that_is_not_tensors_is_put_back_as_well(tmp_path: Path) -> None:
    answer = look("extra_state", tmp_path)
    assert answer.findings[0].cause == "learning_rate_high"
    assert answer.to_dict()["window"]["state"] == "above"


def test_a_failure_of_our_own_is_not_blamed_on_the_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(shown: object) -> bool:
        raise RuntimeError("ours")

    monkeypatch.setattr(examine, "thrown", fail)
    with pytest.raises(RuntimeError, match="ours"):
        look("healthy", tmp_path)


def test_several_seeds_give_intervals(tmp_path: Path) -> None:
    one = look("healthy", tmp_path / "one").to_dict()
    told = gradclinic.checkup(tasks.healthy, seeds=2, out=tmp_path / "two").to_dict()
    assert told["run"]["steps"] == one["run"]["steps"] == 24
    low, high = told["window"]["lr_max_range"]
    assert low < high
    assert one["window"]["lr_max_range"][0] in (low, high)
    assert told["trains"] != one["trains"]


def test_the_files_that_it_writes(tmp_path: Path) -> None:
    options = CheckupOptions(out=tmp_path, name="mine", json=tmp_path / "r.json", live=False)
    answer, page = run_checkup(tasks.healthy, options)
    assert page == tmp_path / "mine.html"
    assert "This will train" in page.read_text(encoding="utf-8")
    assert json.loads((tmp_path / "r.json").read_text(encoding="utf-8")) == answer.to_dict()


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("raising", r"the target's code failed in tasks.py, line \d+: RuntimeError: mat1 and mat2"),
        ("detached", "does not require grad"),
        ("no_batch", "gave no batch"),
        ("no_task", "must give a gradclinic.Task"),
    ],
)
def test_a_target_that_fails_leaves_one_line_and_no_record(name: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(gradclinic.UserError, match=says):
        look(name, tmp_path)
    assert not list(tmp_path.glob("*"))
