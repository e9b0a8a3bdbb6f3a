"""The comparison on small trainings."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from gradclinic.cure.comparing import Entry, Terms, compare_all, contestants
from gradclinic.cure.comparing.contestants import Contestant
from gradclinic.cure.comparing.probe import Probe
from gradclinic.cure.comparing.run import NOISE_AT, train
from gradclinic.cure.trials import Trial
from gradclinic.cure.tuning.rounds import recipe_of
from gradclinic.task import find_target, own_generators
from tests.cure import tasks


class Forgetful:
    """Keeps no results."""

    def get(self, case: Any, steps: int) -> None:
        return None

    def put(self, case: Any, steps: int, outcome: Any) -> None:
        pass


def entries(target: Any, *names: str, seeds: int = 2, grid: int = 3) -> dict[str, Entry]:
    found: list[Entry] = []
    with own_generators():
        target = find_target(target)
        those = contestants(target, names, 0, 40.0)
        probe = Probe.of(target, 0)
        terms = Terms(grid, seeds, 2.0, 0)
        compare_all(found, those, probe, terms, lambda what, share: None, lambda name: Forgetful())
    return {entry.contestant.name: entry for entry in found}


def short(**change: Any) -> dict[str, Any]:
    return tasks.made(tasks.dropped()["model"], steps=48, **change)


def test_measuring_changes_no_loss_and_the_noise_has_its_places() -> None:
    with own_generators():
        target = find_target(short)
        probe = Probe.of(target, 0)
        run = train(Contestant("own", target, 48), 0.1, 7, probe, lambda share: None, noise=True)
        alone = Trial(target, recipe_of(0.1), 7).advance(48)
    assert tuple(run.losses) == alone.losses
    assert run.metric == alone.metric
    assert [step for step, _ in run.noise] == [round(share * 48) for share in NOISE_AT]
    assert len(run.seconds) == 48
    assert len(run.updates) == 24
    assert run.margin is not None
    assert run.margin > 0


def test_all_have_the_same_seeds_steps_and_plan_of_a_search() -> None:
    found = entries(short, "sgd", "adam")
    for entry in found.values():
        assert [run.seed for run in entry.runs] == [1000, 1001]
        assert {len(run.losses) for run in entry.runs} == {48}
        assert len(entry.search.rounds) == 1
        assert {len(those) for those in entry.search.rounds[0].trained.values()} == {2}
    plans = {entry.search.rounds[0].steps for entry in found.values()}
    assert len(plans) == 1
    assert found["sgd"].runs[0].losses[0] == found["adam"].runs[0].losses[0]  # the same weights and batch


def test_full_batch_descent_is_the_gradient_of_all_data() -> None:
    def plain() -> dict[str, Any]:
        return tasks.made(tasks.stack(), steps=24)

    entry = entries(plain, "gd")["gd"]
    run = entry.runs[0]
    assert entry.search.choice is not None
    with own_generators():
        task = find_target(plain).build(run.seed)
        rows = torch.arange(384)
        optimizer = torch.optim.SGD(task.model.parameters(), entry.search.choice.lr)
        losses = []
        for _ in range(24):
            optimizer.zero_grad()
            loss = F.cross_entropy(task.model(tasks.X[rows]), tasks.Y[rows])
            loss.backward()
            optimizer.step()
            losses.append(float(loss.detach()))
    assert run.losses == pytest.approx(losses, rel=1e-4)


def sparse() -> dict[str, Any]:
    model = nn.Sequential(nn.EmbeddingBag(20, 8, sparse=True), nn.Linear(8, 2))
    tokens = torch.randint(20, (96, 4), generator=torch.Generator().manual_seed(0))
    labels = (tokens < 10).sum(1).gt(2).long()
    return {
        "model": model, "batches": lambda: iter(zip(tokens.split(16), labels.split(16), strict=True)),
        "loss": lambda m, b: F.cross_entropy(m(b[0]), b[1]), "optimizer": lambda p: torch.optim.SGD(p, 0.5),
        "steps": 48,
    }  # fmt: skip


def test_an_optimizer_that_does_not_bear_the_model_is_an_entry_and_no_error() -> None:
    found = entries(sparse, "adam", "sgd")
    assert "sparse" in found["adam"].why
    assert not found["adam"].runs
    assert found["sgd"].why == ""
    assert len(found["sgd"].runs) == 2
    assert found["sgd"].runs[0].noise  # sparse gradients have noise as well


def test_one_that_diverges_at_every_rate_is_an_entry_and_no_error() -> None:
    class Wild(torch.optim.SGD):
        def step(self, closure: Any = None) -> Any:
            with torch.no_grad():
                for group in self.param_groups:
                    for parameter in group["params"]:
                        parameter.mul_(float("inf"))

    def wild() -> dict[str, Any]:
        return tasks.made(tasks.stack(), steps=48, optimizer=lambda p: Wild(p, 0.1))

    found = entries(wild, "own", "momentum")
    assert "diverges" in found["own"].why
    assert found["momentum"].runs


def test_what_fails_with_all_of_them_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="the disk is gone"):
        entries(tasks.failing, "sgd", "adam")


def test_a_run_that_is_cut_short_by_the_users_code_says_so() -> None:
    with own_generators():
        target = find_target(tasks.failing)
        probe = Probe.of(target, 0)
        run = train(Contestant("own", target, 20), 0.1, 7, probe, lambda share: None, noise=False)
    assert run.ended == "RuntimeError: the disk is gone"
    assert 0 < len(run.losses) < 20
    assert run.outcome.loss == float("inf")


def test_noise_is_not_told_from_fewer_than_four_batches() -> None:
    with own_generators():
        probe = Probe.of(find_target(lambda: short(batches=lambda: iter([(tasks.X[:9], tasks.Y[:9])] * 3))), 0)
    assert "a round has 3" in probe.why
    assert probe.noise(find_target(short).build(0), short()["model"], 0) is None
