"""What every remedy keeps to, on every model of the zoo."""

from __future__ import annotations

import copy
import os
import random
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from torch import Tensor, nn

import gradclinic
from gradclinic.cure.patient import Patient
from gradclinic.cure.recipe import Applied, Change, Recipe
from gradclinic.cure.remedies import all_remedies, find_remedy
from gradclinic.cure.remedy import FAMILIES, CannotApply
from gradclinic.task import Task, seed_all
from tests.cure.zoo import ZOO

#: Options that are not proposed, or not on every model of the zoo, but stand in recipes that people write.
BY_HAND: dict[str, list[dict[str, Any]]] = {
    "activation_swap": [{"to": "gelu"}],
    "normalization": [{"kind": "rms"}, {"kind": "group"}],
    "shortcuts": [{"kind": "plain"}, {"kind": "rezero"}],
    "gradient_clipping": [{"kind": "value", "limit": 0.1}, {"kind": "zscore", "limit": 2.5}],
    "schedule": [{"kind": "step", "steps": 10}, {"kind": "linear", "steps": 10, "warmup": 2}],
    "forget_bias": [{"chrono": 20}],
    "raise_precision": [{}],
    "optimizer": [{"name": "adagrad", "lr": 0.01}],
    "dropout": [{"p": 0.0}],
    "discriminative_rates": [{"layers": {"2": {"factor": 0.1, "start": 1}, "4": {"factor": 0.5, "start": None}}}],
    "unfreeze": [{}],
    "pre_norm": [{}],
    "descend": [{}],
    "momentum": [{"momentum": 0.95}],
    "residual_scaling": [{"kind": "scaled"}],
}
#: Families that touch no module: a few models stand for all.
LOOP = ("optimizer", "momentum", "learning_rate", "schedule", "clipping")
FEW = ("mlp", "float16", "embedded", "frozen", "wrong_optimizer", "pretrained")
#: And models that differ from others for some families only.
ONLY = {
    "gru": ("recurrence",),
    "rnn": ("recurrence",),
    "bfloat16": ("precision", "inputs", "initialization"),
    "pretrained": ("initialization", "schedule"),
}
CASES = [
    (model, remedy.id)
    for model in ZOO
    for remedy in all_remedies()
    if remedy.family in ONLY.get(model, FAMILIES) and (model in FEW or remedy.family not in LOOP)
]


def built(name: str, seed: int = 5) -> Task:
    seed_all(seed)
    return ZOO[name]()


@cache
def patient(name: str) -> Patient:
    task = built(name)
    return Patient(task, task.new_optimizer(), tuple(task.batches()))


@cache
def changes(name: str, remedy: str) -> list[Change]:
    proposed = [dict(options) for options in find_remedy(remedy).propose(patient(name))]
    return [Change(remedy, options) for options in [*proposed, *BY_HAND.get(remedy, [])]]


def tensors(model: nn.Module) -> dict[str, Tensor]:
    return {**dict(model.named_parameters()), **dict(model.named_buffers())}


def frozen(model: nn.Module) -> dict[str, Any]:
    """All that a change might leave behind."""
    everything: dict[str, Any] = {name: tensor.detach().clone() for name, tensor in tensors(model).items()}
    for path, module in model.named_modules():
        everything[f"{path} type"] = type(module)
        everything[f"{path} plain"] = {
            key: repr(value) for key, value in vars(module).items() if not key.startswith("_") or "hooks" in key
        }
        everything[f"{path} children"] = [name for name, _ in module.named_children()]
    everything["trained"] = [parameter.requires_grad for parameter in model.parameters()]
    return everything


def settings(optimizer: torch.optim.Optimizer) -> list[dict[str, Any]]:
    return [
        {key: [id(p) for p in value] if key == "params" else value for key, value in group.items()}
        for group in optimizer.param_groups
    ]


def hooks(optimizer: torch.optim.Optimizer) -> tuple[int, int, bool]:
    return (
        len(optimizer._optimizer_step_pre_hooks),
        len(optimizer._optimizer_step_post_hooks),
        "step" in vars(optimizer),
    )


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one.keys() == other.keys() and all(
        torch.equal(a, other[key]) and a.dtype == other[key].dtype if isinstance(a, Tensor) else a == other[key]
        for key, a in one.items()
    )


def generators() -> tuple[Any, ...]:
    return random.getstate(), str(np.random.get_state()), torch.get_rng_state().tolist()


def steps(task: Task, model: nn.Module, optimizer: torch.optim.Optimizer, count: int = 2) -> list[float]:
    losses, batches = [], task.stream()
    for _ in range(count):
        optimizer.zero_grad()
        loss = task.loss(model, next(batches))
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses


@pytest.mark.parametrize("name", ZOO)
def test_proposing_changes_nothing(name: str) -> None:
    task = built(name)
    own = Patient(task, task.new_optimizer(), tuple(task.batches()))
    before, groups, drawn = frozen(task.model), settings(own.optimizer), generators()
    batches = copy.deepcopy(own.batches)
    for remedy in all_remedies():
        for options in remedy.propose(own):
            assert yaml.safe_load(yaml.safe_dump(dict(options))) == dict(options), remedy.id
        remedy.urgency(own)
        assert same(frozen(task.model), before), remedy.id
        assert generators() == drawn, remedy.id
    assert settings(own.optimizer) == groups
    assert all(
        torch.equal(a, b) for one, two in zip(batches, own.batches, strict=True) for a, b in zip(one, two, strict=True)
    )


@pytest.mark.parametrize(("name", "remedy"), CASES)
def test_every_change_works_and_is_taken_back(name: str, remedy: str) -> None:
    for change in changes(name, remedy):
        _check(name, change)


def _check(name: str, change: Change) -> None:
    proposed = dict(change.options) in [dict(o) for o in find_remedy(change.remedy).propose(patient(name))]
    recipe = Recipe.of(change)
    assert recipe.says()
    compile(recipe.code(), "the code", "exec")
    task = built(name)
    model, optimizer = task.model, task.new_optimizer()
    before, groups, around, drawn = frozen(model), settings(optimizer), hooks(optimizer), generators()
    output = _output(task)
    applied = _applied(recipe, model, optimizer)
    if isinstance(applied, str):
        assert not proposed, f"proposed, and then refused: {applied}"
        assert applied
        assert "\n" not in applied
        assert same(frozen(model), before)
        assert settings(optimizer) == groups
        return
    treated, new = applied
    assert treated is model  # in place
    assert generators() == drawn
    assert not same(frozen(model), before) or settings(new) != groups or hooks(new) != around, "nothing was changed"
    held = {id(p) for group in new.param_groups for p in group["params"]}
    assert {id(p) for p in model.parameters() if p.requires_grad} - held <= {
        id(p) for p in patient(name).model.parameters()
    }

    # Again from the same seed: to the bit; and its deep copy and its state.
    other = built(name)
    again, trained = recipe.apply(other.model, other.new_optimizer(), reversible=False)
    assert all(torch.equal(a, tensors(again)[key]) for key, a in tensors(model).items())
    assert torch.equal(_output(task), _output(other))
    twin = copy.deepcopy(model)
    assert torch.equal(_output(task, twin), _output(task))
    assert not {id(p) for p in twin.parameters()} & {id(p) for p in model.parameters()}

    # Undone before any step: as it was.
    applied.undo()
    assert same(frozen(model), before)
    assert settings(optimizer) == groups
    assert hooks(optimizer) == around
    assert torch.equal(_output(task), output)

    # And it trains.
    seed_all(7)
    losses = steps(other, again, trained)
    assert all(np.isfinite(losses)), losses
    state = copy.deepcopy(again.state_dict())
    third = built(name, seed=6)
    fresh, _ = recipe.apply(third.model, third.new_optimizer(), reversible=False)
    fresh.load_state_dict(state)
    assert torch.equal(_output(third, fresh), _output(other, again))


def _applied(recipe: Recipe, model: nn.Module, optimizer: torch.optim.Optimizer) -> Applied | str:
    try:
        return recipe.apply(model, optimizer)
    except CannotApply as error:
        return str(error)


def _output(task: Task, model: nn.Module | None = None) -> Tensor:
    """In evaluation, and leaves the mode alone."""
    model = model or task.model
    modes = {module: module.training for module in model.modules()}
    model.eval()
    with torch.no_grad():
        output = model(next(iter(task.batches()))[0])
    for module, mode in modes.items():
        module.training = mode
    return output


FRESH = """
import sys, torch
from gradclinic.cure import Recipe
from tests.cure.test_contract import built, steps
task = built("mlp")
model, optimizer = Recipe.load(sys.argv[1]).apply(task.model, task.new_optimizer())
print([loss.hex() for loss in steps(task, model, optimizer, 5)])
"""


def test_a_saved_recipe_gives_the_same_losses_in_a_fresh_process(tmp_path: Path) -> None:
    recipe = Recipe.of(
        Change("input_standardization", {"mean": 0.5, "std": 2.0}),
        Change("activation_swap", {"to": "tanh"}),
        Change("normalization", {"kind": "layer"}),
        Change("shortcuts", {"kind": "rezero"}),
        Change("orthogonal_init", {"nonlinearity": "tanh"}),
        Change("optimizer", {"name": "adam", "lr": 0.01}),
        Change("weight_decay", {"weight_decay": 0.01}),
        Change("schedule", {"kind": "cosine", "steps": 5, "warmup": 1}),
        Change("gradient_clipping", {"kind": "unit", "limit": 0.01}),
        note="proven",
    )
    path = tmp_path / "recipe.yaml"
    recipe.save(path)
    assert Recipe.load(path) == recipe
    task = built("mlp")
    model, optimizer = recipe.apply(task.model, task.new_optimizer())
    losses = [loss.hex() for loss in steps(task, model, optimizer, 5)]
    source, tests = Path(gradclinic.__file__).parents[1], Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", FRESH, str(path)],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{source}{os.pathsep}{tests}"},
    )
    assert done.stdout.strip() == str(losses), done.stderr
