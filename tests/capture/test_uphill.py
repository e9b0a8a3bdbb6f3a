"""Steps up the gradient are told after the second one; steps down it never are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gradclinic.capture import Monitor
from gradclinic.capture.uphill import cosine
from gradclinic.schema.record import Event


class Wrong(torch.optim.Optimizer):
    """Somebody's own optimizer, with a plus."""

    def __init__(self, parameters: Iterable[Tensor]) -> None:
        super().__init__(parameters, {"lr": 0.01})

    def step(self) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for p in group["params"]:
                p.data.add_(p.grad, alpha=group["lr"])


def told(step_of: Callable[[nn.Module], Callable[[], None]], steps: int = 6) -> list[dict[str, Any]]:
    rows: list[Any] = []

    class Sink:
        put = staticmethod(rows.append)

    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 1))
    x = torch.randn(32, 5)
    monitor = Monitor(Sink())
    monitor.start([model])
    step = step_of(model)
    for _ in range(steps):
        model.zero_grad()
        (model(x) - x[:, :1]).square().mean().backward()
        step()
    monitor.stop()
    assert not [row for row in rows if isinstance(row, Event) and row.kind == "capture_failure"]
    return [row.data for row in rows if isinstance(row, Event) and row.kind == "uphill_step"]


def by_hand(rate: float) -> Callable[[nn.Module], Callable[[], None]]:
    def step_of(model: nn.Module) -> Callable[[], None]:
        def step() -> None:
            with torch.no_grad():
                for p in model.parameters():
                    p += rate * p.grad  # type: ignore[operator]

        return step

    return step_of


@pytest.mark.parametrize(
    "step_of",
    [
        lambda model: Wrong(model.parameters()).step,
        lambda model: torch.optim.SGD(model.parameters(), 0.01, maximize=True).step,
        lambda model: torch.optim.Adam(model.parameters(), 0.01, maximize=True).step,
        by_hand(0.01),
    ],
)
def test_up(step_of: Callable[[nn.Module], Callable[[], None]]) -> None:
    (data,) = told(step_of)
    assert data["cosine"] > 0.5


@pytest.mark.parametrize(
    "step_of",
    [
        lambda model: torch.optim.SGD(model.parameters(), 0.5, momentum=0.99, nesterov=True).step,
        lambda model: torch.optim.SGD(model.parameters(), 0.1, weight_decay=0.5).step,
        lambda model: torch.optim.AdamW(model.parameters(), 0.3).step,
        lambda model: torch.optim.Rprop(model.parameters(), 0.1).step,
        lambda model: torch.optim.SGD(model.parameters(), 0.0).step,
        by_hand(-0.01),
    ],
)
def test_down(step_of: Callable[[nn.Module], Callable[[], None]]) -> None:
    assert told(step_of, steps=30) == []


def test_the_cosine_is_over_all_weights_together() -> None:
    old, new = [torch.zeros(2), torch.zeros(1), None], [torch.tensor([3.0, 0.0]), torch.tensor([4.0]), None]
    slopes = [torch.tensor([1.0, 0.0]), torch.tensor([0.0]), torch.ones(1)]
    assert cosine(old, new, slopes) == pytest.approx(0.6)
    assert cosine(old, old, slopes) is None
