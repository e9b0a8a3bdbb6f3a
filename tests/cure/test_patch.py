"""The recipe in the user's own source."""

from __future__ import annotations

import ast

import pytest

from gradclinic.cure import Change, Recipe
from gradclinic.cure.patch import patch

SCRIPT = """import torch
from torch import nn

net = nn.Sequential(nn.Linear(8, 16), nn.Sigmoid(), nn.Linear(16, 3))
opt = torch.optim.SGD(net.parameters(), lr=0.1, weight_decay=0.3)  # with ü
"""
RATE, DECAY = Change("learning_rate", {"lr": 0.02}), Change("weight_decay", {"weight_decay": 0.0})
ADAM, RELU = Change("optimizer", {"name": "adam", "lr": 0.001}), Change("activation_swap", {"to": "relu"})
NORM = Change("normalization", {"kind": "batch"})


def lines(diff: str, sign: str) -> list[str]:
    return [line[1:] for line in diff.splitlines() if line.startswith(sign) and not line.startswith(sign * 3)]


def test_numbers_and_names_are_replaced_where_they_stand() -> None:
    diff = patch(SCRIPT, "train.py", Recipe.of(RATE, DECAY, RELU), "cure.yaml")
    assert lines(diff, "-") == [SCRIPT.splitlines()[3], SCRIPT.splitlines()[4]]
    assert lines(diff, "+") == [
        "net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))",
        "opt = torch.optim.SGD(net.parameters(), lr=0.02, weight_decay=0)  # with ü",
    ]


def test_another_optimizer_is_another_call() -> None:
    (line,) = lines(patch(SCRIPT, "train.py", Recipe.of(ADAM), "cure.yaml"), "+")
    assert line == "opt = torch.optim.Adam(net.parameters(), lr=0.001)  # with ü"


def test_what_is_no_word_is_applied_by_the_recipe_after_the_optimizer() -> None:
    added = lines(patch(SCRIPT, "train.py", Recipe.of(NORM, RATE), "cure.yaml"), "+")
    assert added[0] == "import gradclinic"
    # What stands behind the statement on its line goes down with it; it is a comment at most.
    assert added[-1].startswith("net, opt = gradclinic.Recipe.load('cure.yaml').apply(net, opt)")


def test_only_the_function_that_was_named_is_changed() -> None:
    function = "def {}(p):\n    return torch.optim.SGD(p, 0.1)\n"
    source = "import torch\n\n" + function.format("a") + "\n" + function.format("b")
    diff = patch(source, "m.py", Recipe.of(RATE), "cure.yaml", within="b")
    assert lines(diff, "+") == ["    return torch.optim.SGD(p, 0.02)"]
    assert "@@ -6" in diff
    assert patch(source, "m.py", Recipe.of(NORM), "cure.yaml", within="b") == ""


@pytest.mark.parametrize("name", ["torch", "F"])
def test_functions_are_exchanged_too(name: str) -> None:
    (line,) = lines(patch(f"y = {name}.sigmoid(x)\n", "m.py", Recipe.of(RELU), "cure.yaml"), "+")
    assert line == ("y = torch.nn.functional.relu(x)" if name == "torch" else "y = F.relu(x)")


@pytest.mark.parametrize("source", ["def broken(:\n", "x = 1\n", "opt = make(net)\n"])
def test_where_nothing_can_be_said_it_is_empty(source: str) -> None:
    assert patch(source, "m.py", Recipe.of(NORM), "cure.yaml") == ""


def test_what_comes_out_is_python() -> None:
    for recipe in (Recipe.of(RATE, DECAY, RELU), Recipe.of(ADAM, RELU), Recipe.of(NORM)):
        added = [line.strip() for line in lines(patch(SCRIPT, "train.py", recipe, "cure.yaml"), "+")]
        ast.parse("\n".join(added))
