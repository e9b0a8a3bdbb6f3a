"""Layers that a model uses and does not register are told at the end; teachers and frozen parts are not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from gradclinic.capture import Monitor
from gradclinic.schema.record import Event

X = torch.randn(16, 4)


class Listed(nn.Module):
    """Two layers in a plain container, one registered."""

    def __init__(self, container: Callable[[list[nn.Module]], Any]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.inner = container([nn.Linear(4, 4), nn.Linear(4, 4)])
        self.head = nn.Linear(4, 1)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.inner:
            x = torch.tanh(layer(x))
        out: Tensor = self.head(x)
        return out


def told(model: nn.Module, loss_of: Callable[[Tensor], Tensor] = torch.sum, extra: Any = ()) -> list[dict[str, Any]]:
    rows: list[Any] = []

    class Sink:
        put = staticmethod(rows.append)

    monitor = Monitor(Sink())
    monitor.start([model])
    optimizer = torch.optim.SGD([*model.parameters(), *extra], 0.01)
    for _ in range(5):
        optimizer.zero_grad()
        loss_of(model(X)).backward()
        optimizer.step()
    monitor.stop()
    assert not [row for row in rows if isinstance(row, Event) and row.kind == "capture_failure"]
    return [row.data for row in rows if isinstance(row, Event) and row.kind == "orphan_parameters"]


def test_layers_in_a_plain_list_are_told() -> None:
    (data,) = told(Listed(list))
    assert data["inside"] == "Listed"
    assert (data["count"], data["elements"]) == (4, 40)
    assert any(name.endswith("weight") for name in data["parameters"])


def test_a_parameter_in_a_plain_list_is_told() -> None:
    class Bare(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scales = [nn.Parameter(torch.ones(4))]
            self.head = nn.Linear(4, 1)

        def forward(self, x: Tensor) -> Tensor:
            out: Tensor = self.head(x * self.scales[0])
            return out

    (data,) = told(Bare())
    assert data["elements"] == 4


def test_registered_layers_are_not() -> None:
    assert told(Listed(nn.ModuleList)) == []


def test_nor_are_those_that_the_optimizer_was_given() -> None:
    model = Listed(list)
    assert told(model, extra=[p for layer in model.inner for p in layer.parameters()]) == []


def test_nor_frozen_ones() -> None:
    model = Listed(list)
    for layer in model.inner:
        layer.requires_grad_(False)
    assert told(model) == []


def test_nor_a_network_that_the_loss_runs() -> None:
    judge = nn.Linear(1, 3)
    assert told(Listed(nn.ModuleList), lambda out: judge(out).pow(2).mean()) == []
