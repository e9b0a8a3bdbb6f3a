"""Row 11: what was learned on the digits 0 to 4 helps with 5 to 9."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from statistics import fmean, stdev
from types import ModuleType

import pytest
import torch
from torch import nn

from gradclinic import transfer
from gradclinic.cure.pretrained import measure_rates
from gradclinic.task import seed_all
from tests.cure.zoo import classifier, mlp, rows

#: Of Student's t for two-sided 95 % and five degrees of freedom.
T_FIVE = 2.571


@pytest.fixture(scope="module")
def example() -> ModuleType:
    path = Path(__file__).parents[3] / "examples" / "treat" / "transfer.py"
    specification = importlib.util.spec_from_file_location("transfer_example", path)
    assert specification
    assert specification.loader
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_pretrained_digits_beat_a_start_from_scratch_over_seeds(example: ModuleType) -> None:
    results = [example.compare(seed) for seed in range(6)]
    gains = [transferred - scratch for scratch, transferred, _ in results]
    assert fmean(gains) - T_FIVE * stdev(gains) / 6**0.5 > 0, gains
    assert "6 loaded" in results[0][2]
    assert "2 in the model only: 9.weight, 9.bias" in results[0][2]


def test_new_layers_learn_at_once_and_loaded_ones_gently() -> None:
    seed_all(0)
    task = classifier(mlp(3, act=nn.Tanh), rows(12, 6))
    state = {name: value for name, value in mlp(3, act=nn.Tanh).state_dict().items() if not name.startswith("8.")}
    found = transfer(task, state)
    by_layer = {rate.layer: rate for rate in found.rates}
    assert by_layer["8"].new
    assert (by_layer["8"].factor, by_layer["8"].start) == (1.0, 0)
    old = [rate for rate in found.rates if not rate.new]
    assert [rate.layer for rate in old] == ["0", "2", "4", "6"]
    # ULMFiT: each group moves 2.6 times less than the next one, relative to its weights.
    for group, rate in zip((4, 3, 2, 1), old, strict=True):
        assert rate.step * rate.factor <= 1.01 * by_layer["8"].step / 2.6**group
    started = sorted(old, key=lambda rate: -rate.ratio)
    assert [rate.start for rate in started] == [25, 50, 75, 100]  # of 200 steps, half


def test_ratios_are_gradient_norm_over_weight_norm() -> None:
    seed_all(0)
    task = classifier(mlp(1, act=nn.Tanh), rows(12, 6))
    batch = next(task.batches())
    rate = measure_rates(task, [], [batch])[0]
    task.loss(task.model, batch).backward()
    layer = task.model[0]
    gradient = torch.cat([layer.weight.grad.flatten(), layer.bias.grad])
    weights = torch.cat([layer.weight.flatten(), layer.bias]).detach()
    assert rate.ratio == pytest.approx(float(gradient.norm() / weights.norm()), rel=1e-5)
    assert rate.step == pytest.approx(0.05 * rate.ratio, rel=1e-4)  # plain gradient descent at 0.05
    assert rate.agreement == pytest.approx(1.0)
    assert rate.new
    assert rate.factor == 1.0


def test_layers_whose_batches_agree_on_nothing_stay_frozen() -> None:
    seed_all(0)
    task = classifier(mlp(1, act=nn.Tanh), rows(12, 6))
    x, y = rows(12, 6), torch.arange(12) % 3
    # Every batch asks for what another one undoes.
    batches = [(x, y), (x, (y + 1) % 3), (x, (y + 2) % 3)] * 2
    rates = measure_rates(task, ["0.weight", "0.bias"], batches)
    assert rates[0].agreement < 2 / 6
    assert rates[0].start is None
    assert rates[-1].start == 0  # new, whatever it is


def test_the_recipe_holds_layers_back_until_their_step() -> None:
    seed_all(0)
    task = classifier(mlp(1, act=nn.Tanh), rows(12, 6))
    found = transfer(task, {"0.weight": torch.ones(8, 6), "0.bias": torch.zeros(8)})
    start = next(rate.start for rate in found.rates if rate.layer == "0")
    assert start == 100
    model, optimizer = found.recipe.apply(task.model, task.new_optimizer())
    stream = task.stream()
    for step in range(start + 1):
        assert bool((model[0].weight == 1).all()), step
        optimizer.zero_grad()
        task.loss(model, next(stream)).backward()
        optimizer.step()
    assert not bool((model[0].weight == 1).all())
