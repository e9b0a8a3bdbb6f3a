"""The set-ups of foresight: always the same, each a task, families kept apart."""

from __future__ import annotations

import pytest
import torch

from corpus.trainability import data, nets
from corpus.trainability.setups import COUNT, FAMILIES, FITTED, HELD_BACK, OPTIMIZERS, RATES, all_setups
from gradclinic.task.target import own_generators, seed_all


def test_the_draw_is_always_the_same_and_families_are_held_back_as_wholes() -> None:
    setups = all_setups()
    assert setups == all_setups()
    assert len({setup.name for setup in setups}) == len(setups) == COUNT * len(FAMILIES) >= 300
    assert not set(FITTED) & set(HELD_BACK)
    # More of a family leaves those that were there as they were.
    assert [s for s in all_setups(COUNT + 3) if s.number < COUNT] == setups


@pytest.mark.parametrize("family", FAMILIES)
def test_each_is_a_task(family: str) -> None:
    with own_generators():
        for setup in [s for s in all_setups(4) if s.family == family]:
            seed_all(0)
            task = setup.task()
            batch = next(task.stream())
            loss = task.loss_of(batch)
            loss.backward()  # type: ignore[no-untyped-call]
            task.new_optimizer().step()
            assert task.steps == setup.steps
            assert setup.data().constant_loss > 0


def test_a_constant_prediction_gives_the_constant_loss() -> None:
    for own in (data.digits(), data.diabetes(), data.first_symbol(5), data.adding(8), data.same_digits()):
        if own.targets.is_floating_point():
            best = own.targets.mean(0).expand_as(own.targets)
        else:
            best = torch.bincount(own.targets).div(len(own.targets)).log().expand(len(own.targets), -1)
        assert float(own.loss(best, own.targets)) == pytest.approx(own.constant_loss, rel=1e-4)


def test_every_optimizer_has_its_rates_and_every_initialisation_works() -> None:
    assert set(RATES) == set(OPTIMIZERS)
    for name in nets.INITS:
        torch.manual_seed(0)
        model = nets.mlp(8, 2, 3, 16, "relu", "batch", False)
        nets.initialise(model, name)
        assert all(bool(parameter.isfinite().all()) for parameter in model.parameters())
