"""The margin of stability on quadratics, whose limit is known, and beyond which they diverge."""

from __future__ import annotations

from math import inf
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam, Optimizer

from gradclinic.measure.optimizers import NotApplicable
from gradclinic.measure.window import stability_margin

X = torch.randn(64, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * torch.tensor([3, 2, 1, 1, 1])


def squares(model: nn.Module, batch: Tensor) -> Tensor:
    loss: Tensor = model(batch).square().mean() / 2
    return loss


def made() -> nn.Linear:
    torch.manual_seed(1)
    return nn.Linear(5, 1, bias=False, dtype=torch.float64)


def curvature(batches: list[Tensor]) -> float:
    whole = torch.cat(batches)
    return float(torch.linalg.eigvalsh(whole.T @ whole / len(whole))[-1])


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_on_a_quadratic_it_is_the_limit_over_the_rate(momentum: float) -> None:
    model, parts = made(), list(X.split(16))
    optimizer = SGD(model.parameters(), 0.01, momentum=momentum)
    expected = 2 * (1 + momentum) / (0.01 * curvature(parts))
    assert stability_margin(model, squares, optimizer, parts) == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("make", [SGD, lambda p, lr: SGD(p, lr, momentum=0.9)])
@pytest.mark.parametrize(("factor", "diverges"), [(0.95, False), (1.05, True)])
def test_beyond_a_margin_of_one_it_diverges(make: Any, factor: float, diverges: bool) -> None:
    model = made()
    first = make(model.parameters(), 0.01)
    margin = stability_margin(model, squares, first, [X])
    optimizer = make(model.parameters(), 0.01 * margin * factor)
    assert stability_margin(model, squares, optimizer, [X]) == pytest.approx(1 / factor, rel=1e-6)
    begin = float(squares(model, X).detach())
    for _ in range(400):
        optimizer.zero_grad()
        squares(model, X).backward()
        optimizer.step()
    assert (float(squares(model, X).detach()) > 10 * begin) == diverges


def test_adams_is_that_of_the_state_it_has_now() -> None:
    model = made()
    optimizer = Adam(model.parameters(), 0.01)
    for _ in range(20):
        optimizer.zero_grad()
        squares(model, X).backward()
        optimizer.step()
    weights = optimizer.state[model.weight]
    scale = ((weights["exp_avg_sq"] / (1 - 0.999**20)).sqrt() + 1e-8)[0].rsqrt()
    top = float(torch.linalg.eigvalsh((X * scale).T @ (X * scale) / len(X))[-1])
    before = {name: value.clone() for name, value in model.state_dict().items()}
    assert stability_margin(model, squares, optimizer, [X]) == pytest.approx(38 / (0.01 * top), rel=0.01)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_a_rate_of_zero_is_stable_and_what_has_no_limit_is_refused() -> None:
    model = made()
    assert stability_margin(model, squares, SGD(model.parameters(), 0.0), [X]) == inf
    other: Optimizer = torch.optim.LBFGS(model.parameters())
    with pytest.raises(NotApplicable, match="LBFGS"):
        stability_margin(model, squares, other, [X])
