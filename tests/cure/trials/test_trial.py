"""A trial trains as a plain loop does, in turns or not, and its end is a result."""

from __future__ import annotations

import random

import pytest
import torch

from gradclinic.cure import Change, Recipe
from gradclinic.cure.trials import Trial
from gradclinic.errors import UserError
from gradclinic.task import Target, find_target, own_generators, seed_all

from .. import tasks

RECIPE = Recipe.of(Change("normalization", {"kind": "batch"}), Change("kaiming_init", {"nonlinearity": "relu"}))


def plain_loop(name: str, recipe: Recipe, seed: int, steps: int) -> list[float]:
    seed_all(seed)
    parts = getattr(tasks, name)()
    model, optimizer = recipe.apply(parts["model"], parts["optimizer"](parts["model"].parameters()))
    losses: list[float] = []
    while True:
        for batch in parts["batches"]():
            if len(losses) == steps:
                return losses
            optimizer.zero_grad()
            loss = parts["loss"](model, batch)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())


@pytest.mark.parametrize("name", ["healthy", "dropped"])
@pytest.mark.parametrize("recipe", [Recipe(), RECIPE], ids=["as it is", "treated"])
def test_the_losses_are_those_of_a_plain_loop_to_the_bit(name: str, recipe: Recipe) -> None:
    with own_generators():
        found = Trial(find_target(getattr(tasks, name)), recipe, 7).advance(30)
        assert list(found.losses) == plain_loop(name, recipe, 7, 30)


def test_turns_change_nothing_and_the_process_keeps_its_generators() -> None:
    target = find_target(tasks.dropped)
    with own_generators():
        whole = Trial(target, Recipe(), 1).advance(20)
    torch.manual_seed(3)
    random.seed(3)
    one, other = Trial(target, Recipe(), 1), Trial(target, Recipe(), 2)
    for steps in (5, 12, 20):
        parts, _ = one.advance(steps), other.advance(steps)
    assert parts.losses == whole.losses
    drawn = (torch.rand(1).item(), random.random())
    torch.manual_seed(3)
    random.seed(3)
    assert drawn == (torch.rand(1).item(), random.random())


def test_the_metric_leaves_the_training_as_it_was() -> None:
    def watched() -> dict[str, object]:
        def metric(model: torch.nn.Module) -> float:
            model.eval()
            return float(torch.rand(1))

        return tasks.dropped() | {"metric": metric}

    often, once = Trial(find_target(watched), Recipe(), 1), Trial(find_target(watched), Recipe(), 1)
    for steps in (3, 6, 9):
        found = often.advance(steps)
    assert found.losses == once.advance(9).losses


def test_what_diverges_has_ended() -> None:
    trial = Trial(find_target(tasks.exploding), Recipe(), 0)
    found = trial.advance(50)
    assert (found.ended, found.loss) == ("diverged", float("inf"))
    assert found.steps < 50
    assert trial.advance(100).steps == found.steps


def test_what_the_users_code_raises_is_a_result() -> None:
    found = Trial(find_target(tasks.failing), Recipe(), 0).advance(50)
    assert found.ended == "RuntimeError: the disk is gone"
    assert (found.steps, found.metric) == (3, None)


def test_a_target_that_is_none_is_the_users_to_mend() -> None:
    with pytest.raises(UserError, match="lacks"):
        Trial(Target("nothing", dict, fresh=True), Recipe(), 0).advance(1)
