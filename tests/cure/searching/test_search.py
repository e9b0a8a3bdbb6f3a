"""The search on small trainings."""

from __future__ import annotations

from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from gradclinic.cure.purse import Purse
from gradclinic.cure.searching import Found, Wanted, recipe_of, search
from gradclinic.cure.trials import Outcome
from gradclinic.cure.tuning.grid import Span
from gradclinic.errors import UserError
from gradclinic.task import find_target, own_generators
from tests.cure import tasks

STEPS = 90


def run(target: Any, journal: Path, names: tuple[str, ...], **wanted: Any) -> tuple[Found, Purse]:
    found, purse = Found(), Purse(1e9, 1e9)
    with own_generators():
        search(found, find_target(target), Wanted(names, **wanted), purse, lambda what, share: None, journal)
    return found, purse


class Bowl(nn.Module):
    """A quadratic, and the weight that rolls in it."""

    def __init__(self, curvatures: tuple[float, ...]) -> None:
        super().__init__()
        self.register_buffer("curvatures", torch.tensor(curvatures))
        self.weight = nn.Parameter(torch.ones(len(curvatures)))

    def forward(self, scale: torch.Tensor) -> torch.Tensor:
        return scale * 0.5 * (self.curvatures * self.weight.square()).sum()


LOW, HIGH = 0.02, 2.0


def bowl() -> dict[str, Any]:
    return {
        "model": Bowl((LOW, 0.2, HIGH)),
        "batches": lambda: iter([torch.ones(())]),
        "loss": lambda model, batch: model(batch),
        "optimizer": lambda parameters: torch.optim.SGD(parameters, 0.05),
        "steps": STEPS,
    }


def rolled(rate: float, momentum: float) -> float:
    """The mean of the last quarter of the losses, by hand."""
    h = np.array((LOW, 0.2, HIGH))
    w, v, losses = np.ones(3), np.zeros(3), []
    for _ in range(STEPS):
        losses.append(0.5 * float(h @ w**2))
        v = momentum * v + h * w
        w = w - rate * v
    return float(np.mean(losses[-round(STEPS / 4) :]))


def test_on_a_quadratic_it_comes_to_polyaks_momentum(tmp_path: Path) -> None:
    found, _ = run(bowl, tmp_path / "a", ("lr", "momentum"), trials=60, seeds=2, budget=1000, span=Span(0.01, 3.0))
    assert found.plan is not None
    assert found.plan.trial == STEPS
    best = found.whole[0]
    # Without momentum the best rate is 2/(L + mu); with it ((√L - √mu)/(√L + √mu))² and (2/(√L + √mu))² (Polyak 1964).
    root, base = sqrt(HIGH), sqrt(LOW)
    momentum, rate = ((root - base) / (root + base)) ** 2, (2 / (root + base)) ** 2
    plain, heavy = rolled(2 / (HIGH + LOW), 0.0), rolled(rate, momentum)
    assert heavy < plain / 100
    assert best.value is not None
    assert best.value < plain / 100
    assert best.value == pytest.approx(rolled(float(best.settings["lr"]), float(best.settings["momentum"])), rel=1e-3)
    assert abs(np.log10((1 - float(best.settings["momentum"])) / (1 - momentum))) < 0.3
    assert found.proven is not None
    assert found.proven.settings == best.settings


def test_a_trial_is_the_plain_loop_with_its_settings(tmp_path: Path) -> None:
    found, _ = run(tasks.too_slow, tmp_path / "a", ("lr", "schedule"), trials=3, seeds=2, budget=2)
    assert found.plan is not None
    tried = found.tried[1]
    taken, reported = 0, dict(tried.reported)
    with own_generators():
        torch.manual_seed(0)
        parts = tasks.too_slow()
        model, optimizer = recipe_of(tried.settings, found.plan.trial).apply(
            parts["model"], parts["optimizer"](parts["model"].parameters())
        )
        while taken < found.plan.trial:
            for batch in parts["batches"]():
                optimizer.zero_grad()
                parts["loss"](model, batch).backward()
                optimizer.step()
                taken += 1
                if taken in reported:
                    assert tasks.accuracy(model) == reported[taken]
                if taken == found.plan.trial:
                    break


def test_diverged_trials_are_results_and_never_finalists(tmp_path: Path) -> None:
    found, _ = run(tasks.too_slow, tmp_path / "a", ("lr",), trials=12, seeds=2, budget=4, span=Span(1e-2, 1e12))
    ended = [tried for tried in found.tried if tried.fate == "diverged"]
    assert ended
    assert all(tried.value is None for tried in ended)
    assert all(tried not in found.whole for tried in ended)


def test_hopeless_trials_cost_a_part(tmp_path: Path) -> None:
    found, purse = run(tasks.too_slow, tmp_path / "a", ("lr",), trials=16, seeds=2, budget=6)
    assert found.plan is not None
    stopped = [tried for tried in found.tried if tried.fate == "pruned"]
    assert {tried.steps for tried in stopped} <= set(found.plan.stages[:-1])
    assert stopped
    assert purse.spent["trials"] == sum(tried.steps for tried in found.tried)


def test_settings_that_are_good_already_are_kept(tmp_path: Path) -> None:
    found, _ = run(tasks.healthy, tmp_path / "a", ("momentum",), trials=6, seeds=3, budget=6)
    assert found.looked.window is None
    assert found.proven is None


def test_the_confirmation_has_seeds_of_its_own_twice(tmp_path: Path) -> None:
    found, _ = run(tasks.too_slow, tmp_path / "a", ("lr",), trials=4, seeds=2, budget=3)
    assert found.finals is not None
    assert found.proof is not None
    assert (found.finals.seeds, found.proof.seeds) == ((1000, 1001), (1002, 1003))
    assert found.finals.arms[-1].settings == {}
    assert found.proof.arms[0].gain.low > 0


def test_where_every_trial_ends_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="every one of the 3 trials diverges; gradclinic treat"):
        run(tasks.too_slow, tmp_path / "a", ("lr",), trials=3, seeds=2, span=Span(1e20, 1e22))


def test_what_the_users_code_raises_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="the disk is gone"):
        run(tasks.failing, tmp_path / "a", ("momentum",), trials=2, seeds=2)


def test_a_metric_that_is_no_number_ends_a_trial(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="its metric is no number"):
        run(lambda: tasks.too_slow() | {"metric": lambda model: float("nan")}, tmp_path / "a", ("schedule",), trials=2)


def test_an_arm_that_ended_on_a_seed_is_never_the_best() -> None:
    from gradclinic.cure.searching.confirm import Arm, Comparison
    from gradclinic.cure.trials import paired_interval

    whole, ended = Outcome(9, (1.0,) * 9, 0.5), Outcome(3, (1.0,) * 3, None, "diverged")
    own = Arm({}, (whole, whole), (0.1, 0.1), paired_interval([0.1, 0.1], [0.1, 0.1]))
    one = Arm({"lr": 1.0}, (whole, ended), (0.9, 0.8), paired_interval([0.9, 0.8], [0.1, 0.1]))
    two = Arm({"lr": 0.1}, (whole, whole), (0.5, 0.4), paired_interval([0.5, 0.4], [0.1, 0.1]))
    worse = Arm({"lr": 0.01}, (whole, whole), (0.0, 0.1), paired_interval([0.0, 0.1], [0.1, 0.1]))
    assert Comparison(9, (0, 1), True, (one, two, own)).best is two
    assert Comparison(9, (0, 1), True, (worse, own)).best is None
