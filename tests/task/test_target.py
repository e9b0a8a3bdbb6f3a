"""A target is found, or one line says why not."""

from __future__ import annotations

import random
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from gradclinic.errors import UserError
from gradclinic.task import Task, find_target
from gradclinic.task.target import own_generators

FILE = """
import torch
from torch import nn
from neighbour import STEPS

def task():
    model = nn.Linear(3, 1)
    return dict(
        model=model,
        batches=lambda: iter([torch.randn(4, 3)] * 2),
        loss=lambda model, x: model(x).pow(2).mean(),
        optimizer=lambda parameters: torch.optim.SGD(parameters, 0.1),
        steps=STEPS,
    )

class holder:
    inner = staticmethod(task)

ready = task()
number = 3
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "target_file.py").write_text(FILE)
    (tmp_path / "neighbour.py").write_text("STEPS = 7\n")
    (tmp_path / "broken_file.py").write_text("import torch\n\nx = torch.zeros(2) @ torch.zeros(3)\n")
    (tmp_path / "random.py").write_text("from target_file import task\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [*__import__("sys").path])
    return tmp_path


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("text", ["target_file.py:task", "target_file:task", "target_file.py:holder.inner"])
def test_by_name(text: str) -> None:
    target = find_target(text)
    task = target.build()
    assert isinstance(task, Task)
    assert task.steps == 7
    assert target.fresh
    assert target.build().model is not task.model


@pytest.mark.usefixtures("here")
def test_a_file_does_not_replace_a_module_of_its_name() -> None:
    assert find_target("random.py:task").build().steps == 7
    assert __import__("sys").modules["random"] is random


@pytest.mark.usefixtures("here")
def test_the_seed_decides_the_weights() -> None:
    target = find_target("target_file.py:task")
    one, again, other = (target.build(seed).model.weight for seed in (1, 1, 2))
    assert torch.equal(one, again)  # type: ignore[arg-type]
    assert not torch.equal(one, other)  # type: ignore[arg-type]


def test_a_task_that_is_given_is_copied() -> None:
    model = nn.Linear(2, 1)
    task = Task(model, lambda: iter([torch.ones(3, 2)]), lambda m, x: m(x).sum(), torch.optim.SGD, 5)
    target = find_target(task)
    built = target.build()
    assert not target.fresh
    assert built.model is not model
    assert torch.equal(built.model.weight, model.weight)  # type: ignore[arg-type]


def test_generators_go_on_as_if_nothing_had_been() -> None:
    def draws() -> tuple[float, float, float]:
        return random.random(), float(np.random.rand()), float(torch.rand(()))

    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    wanted = draws()
    random.setstate(states[0]), np.random.set_state(states[1]), torch.set_rng_state(states[2])
    with own_generators():
        torch.manual_seed(3)
        random.seed(3)
        np.random.seed(3)
        draws()
    assert draws() == wanted


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("target_file.py", "is written file.py:name"),
        ("target_fil.py:task", "did you mean target_file.py?"),
        ("target_file.py:taks", "did you mean task?"),
        ("target_file.py:number", "is not callable"),
        ("no_such_module:task", "no module named 'no_such_module'"),
        ("broken_file.py:task", "broken_file.py:task could not be imported: RuntimeError"),
        (3, "not int"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(target: object, says: str) -> None:
    with pytest.raises(UserError, match=says.replace("?", r"\?")) as caught:
        find_target(target)
    assert "\n" not in str(caught.value)


GOOD = {
    "model": nn.Linear(2, 1),
    "batches": lambda: iter([torch.ones(3, 2)]),
    "loss": lambda m, x: m(x).sum(),
    "optimizer": lambda p: torch.optim.SGD(p, 0.1),
    "steps": 5,
}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"model": 3}, "model must be a torch.nn.Module, not int"),
        ({"loss": None}, "loss must be callable, not NoneType"),
        ({"steps": 0}, "at least 1, not 0"),
        ({"steps": 1.5}, "at least 1, not 1.5"),
        ({"extra": 1}, "has no use for extra"),
    ],
)
def test_each_part_is_checked(change: dict[str, object], says: str) -> None:
    with pytest.raises(UserError, match=says):
        find_target(lambda: GOOD | change).build()


def test_what_is_missing_is_named() -> None:
    with pytest.raises(UserError, match="lacks loss, steps"):
        find_target(lambda: {key: GOOD[key] for key in ("model", "batches", "optimizer")}).build()
    with pytest.raises(UserError, match="not SimpleNamespace"):
        find_target(SimpleNamespace).build()
