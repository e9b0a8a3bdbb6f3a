"""The search on small trainings."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite
from typing import Any

import pytest
import torch
from torch import nn

from gradclinic.cure.purse import Purse
from gradclinic.cure.trials import Outcome, Trial
from gradclinic.cure.tuning.folds import fold_targets
from gradclinic.cure.tuning.grid import Span
from gradclinic.cure.tuning.range_test import range_test
from gradclinic.cure.tuning.rounds import recipe_of
from gradclinic.cure.tuning.search import Search, Wanted, learned, run_search
from gradclinic.errors import UserError
from gradclinic.task import Task, find_target, own_generators
from tests.cure import tasks


def silent(what: str, share: float) -> None:
    pass


def search(target: Any, **wanted: Any) -> Search:
    found = Search()
    with own_generators():
        run_search(found, find_target(target), Wanted(**wanted), Purse(1e9, 1e9), silent)
    return found


def test_a_rate_far_too_low_is_tuned_to_one_that_learns() -> None:
    found = search(tasks.too_slow, seeds=2, budget=2)
    assert found.choice is not None
    assert found.choice.lr > 1e-3
    assert found.choice.interval.mean > 0.7


def test_a_trial_is_the_plain_loop_with_that_rate() -> None:
    found = search(tasks.too_slow, seeds=2, grid=3, budget=1)
    part = found.rounds[0]
    lr, outcomes = next(iter(part.trained.items()))
    with own_generators():
        alone = Trial(find_target(tasks.too_slow), recipe_of(lr), 1).advance(part.steps)
    assert outcomes[1].losses == alone.losses


def test_the_range_test_rises_geometrically_and_ends_where_the_loss_runs_away() -> None:
    with own_generators():
        curve = range_test(find_target(tasks.healthy), 1e-6, 1e6, 0, silent)
    assert curve.diverged
    assert len(curve.rates) < 100
    assert curve.rates[1] / curve.rates[0] == pytest.approx(10 ** (12 / 99))
    assert all(map(isfinite, curve.losses[:-1]))
    assert 0 < curve.highest < curve.rates[-1]


def test_the_range_test_leaves_model_and_generators_as_they_were() -> None:
    parts = tasks.dropped()
    before = {name: value.clone() for name, value in parts["model"].state_dict().items()}
    state = torch.get_rng_state()
    with own_generators():
        range_test(find_target(parts), 1e-3, 1.0, 0, silent)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, before[name]) for name, value in parts["model"].state_dict().items())
    assert all(parameter.grad is None for parameter in parts["model"].parameters())


def poisoned() -> dict[str, Any]:
    return tasks.made(tasks.stack(), loss=lambda model, batch: tasks.loss(model, batch) * float("nan"))


def test_a_loss_that_is_no_number_from_the_start_is_said() -> None:
    with pytest.raises(UserError, match="nan at the first step"):
        search(poisoned)


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(1e4, 1e6, "every learning rate from 1e.04 to 1e.06 diverges; the window of this training is "),
     (1e-12, 1e-11, "no learning rate from 1e-12 to 1e-11 lowers the loss within .* the window of this training is ")],
)  # fmt: skip
def test_a_range_on_the_wrong_side_is_said_with_the_window(low: float, high: float, said: str) -> None:
    def squares() -> dict[str, Any]:
        # Cross entropy of saturated logits stays finite at any rate.
        return tasks.made(
            tasks.stack(), loss=lambda model, batch: model(batch[0]).sub(batch[1][:, None]).square().mean()
        )

    with pytest.raises(UserError, match=said):
        search(squares, seeds=2, grid=3, budget=1, span=Span(low, high))


def folded() -> dict[str, Any]:
    def folds(splitter: Any) -> Iterator[tuple[Any, Any]]:
        for train, held in splitter.split(tasks.X):
            yield one_fold(torch.as_tensor(train), torch.as_tensor(held))

    return tasks.too_slow() | {"metric": None, "folds": folds}


def one_fold(train: torch.Tensor, held: torch.Tensor) -> tuple[Any, Any]:
    def batches() -> Iterator[Any]:
        for rows in train[torch.randperm(len(train))].split(32):
            yield tasks.X[rows], tasks.Y[rows]

    def metric(model: nn.Module) -> float:
        model.eval()
        with torch.no_grad():
            return float((model(tasks.X[held]).argmax(1) == tasks.Y[held]).float().mean())

    metric.held = held  # type: ignore[attr-defined]  # for the test below
    return batches, metric


def test_every_sample_is_held_out_in_exactly_one_fold() -> None:
    with own_generators():
        built = [target.build(0) for target in fold_targets(find_target(folded), 4, 0)]
    held = torch.cat([task.metric.held for task in built])  # type: ignore[union-attr]
    assert sorted(held.tolist()) == list(range(len(tasks.X)))


def test_cross_validation_chooses_by_the_held_out_folds() -> None:
    found = search(folded, folds=4, grid=5, budget=2)
    assert found.choice is not None
    assert found.choice.by_metric
    assert found.choice.interval.count == 4
    assert found.choice.interval.mean > 0.7


def no_metric(splitter: Any) -> Iterator[Any]:
    for train, held in splitter.split(tasks.X):
        yield one_fold(torch.as_tensor(train), torch.as_tensor(held))[0], None


@pytest.mark.parametrize(
    ("folds", "said"),
    [(None, "needs a task with the key folds"), (no_metric, "fold 1 is no pair"),
     (lambda splitter: iter(()), "gave 0 pairs for 4 folds")],
)  # fmt: skip
def test_what_cannot_be_cross_validated_is_said(folds: Any, said: str) -> None:
    with pytest.raises(UserError, match=said):
        search(lambda: tasks.too_slow() | {"folds": folds}, folds=4)


def test_a_copied_task_keeps_its_folds() -> None:
    target = find_target(Task(**folded()))
    assert target.build(0).folds is not None


def test_flat_noise_is_nothing_learned() -> None:
    flat = Outcome(40, tuple(1.0 + 0.1 * (place % 3) for place in range(40)), None)
    falling = Outcome(40, tuple(2.0 - 0.02 * place for place in range(40)), None)
    assert not learned([flat])
    assert learned([falling])
    assert not learned([falling, Outcome(3, (1.0, 2.0, float("inf")), None, "diverged")])
