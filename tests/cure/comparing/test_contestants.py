"""Which optimizers can be compared, and what each trains with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from gradclinic.cure.comparing import NAMES, contestants
from gradclinic.cure.comparing.contestants import Round
from gradclinic.task import Target, Whole, find_target, own_generators
from tests.cure import tasks


def those(target: Any, *names: str, runs: float = 40.0) -> Any:
    with own_generators():
        return contestants(find_target(target), names, 0, runs)


def test_every_name_is_an_optimizer_of_torch_over_all_weights_with_the_tasks_own_decay() -> None:
    def decayed() -> dict[str, Any]:
        return tasks.made(tasks.stack(), optimizer=lambda p: torch.optim.AdamW(p, 3e-4, weight_decay=0.07))

    for each in those(decayed, *NAMES):
        with own_generators():
            task = each.target.build(0)
            optimizer = task.new_optimizer()
        assert type(optimizer).__module__.startswith("torch.optim")
        held = {id(p) for group in optimizer.param_groups for p in group["params"]}
        assert held == {id(p) for p in task.model.parameters()}
        assert {group["weight_decay"] for group in optimizer.param_groups} == {0.07}
    assert type(optimizer) is torch.optim.AdamW  # "own" comes last
    assert optimizer.param_groups[0]["lr"] == 3e-4


def test_groups_keep_the_ratio_of_their_rates() -> None:
    def grouped() -> dict[str, Any]:
        model = tasks.stack()
        groups = [{"params": list(model[:2].parameters()), "lr": 1e-3}, {"params": list(model[2:].parameters())}]
        return tasks.made(model, optimizer=lambda _: torch.optim.SGD(groups, 1e-2))

    (adam,) = those(grouped, "adam")
    rates = [group["lr"] for group in adam.target.build(0).new_optimizer().param_groups]
    assert rates[1] == pytest.approx(10 * rates[0])


def test_full_batch_descent_takes_all_batches_in_a_step_and_counts_them() -> None:
    (gd,) = those(tasks.healthy, "gd")
    assert (gd.why, gd.cost, gd.steps) == ("", 12, 600)
    with own_generators():
        (batch,) = gd.target.build(0).batches()
    assert isinstance(batch, Whole)
    assert batch.samples == 384


def test_it_has_as_many_steps_as_its_gradients_are_paid_for() -> None:
    (gd,) = those(tasks.healthy, "gd", runs=4.0)
    assert gd.steps == 4 * 600 // 12
    assert gd.target.build(0).steps == gd.steps


@pytest.mark.parametrize("runs", [0.1, 40.0])
def test_it_is_left_out_where_data_have_no_end_or_a_step_costs_too_much(runs: float) -> None:
    drawn = 0

    def endless() -> Iterator[Any]:
        nonlocal drawn
        while True:
            drawn += 1
            yield tasks.X[:32], tasks.Y[:32]

    target = tasks.healthy if runs < 1 else lambda: tasks.healthy() | {"batches": endless}
    (gd,) = those(target, "gd", runs=runs)
    assert "has no end, or more than" in gd.why
    assert "--gd-runs" in gd.why
    assert drawn <= 40 * 600 / 16 + 1


def test_a_round_is_counted_with_its_samples() -> None:
    task = Target("healthy", tasks.healthy, fresh=True).build(0)
    assert Round.count(task, 100) == Round(12, 384, ends=True)
    assert not Round.count(task, 11).ends
    assert Round.count(task, 12).ends
