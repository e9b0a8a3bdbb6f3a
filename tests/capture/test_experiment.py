"""A sick run's first step is tested on copies; a healthy run's is not; nothing of the user's is touched."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gradclinic.capture import Monitor
from gradclinic.schema.record import Event

STEPS = 160


class Events:
    """A sink that keeps the events."""

    def __init__(self) -> None:
        self.rows: list[Event] = []

    def put(self, row: object) -> None:
        if isinstance(row, Event):
            self.rows.append(row)

    def of(self, kind: str) -> list[Event]:
        return [event for event in self.rows if event.kind == kind]


def train(
    net: nn.Module,
    optimizer: torch.optim.Optimizer,
    steps: int = STEPS,
    loss_of: Callable[[Tensor], Tensor] | None = None,
) -> Events:
    events = Events()
    monitor = Monitor(events)
    monitor.start([net])
    x = torch.randn(64, 10, generator=torch.Generator().manual_seed(1))
    y = (x[:, 0] > 0).long()
    for _ in range(steps):
        out = net(x)
        loss = F.cross_entropy(out, y) if loss_of is None else loss_of(out)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    monitor.stop()
    return events


def stack(activation: type[nn.Module], depth: int) -> nn.Sequential:
    torch.manual_seed(2)
    layers: list[nn.Module] = []
    for _ in range(depth):
        layers += [nn.Linear(10, 10), activation()]
    return nn.Sequential(*layers, nn.Linear(10, 2))


def test_a_run_that_stands_still_is_tested_once() -> None:
    net = stack(nn.Sigmoid, 10)
    events = train(net, torch.optim.SGD(net.parameters(), 0.01), steps=700)
    changes = [event.data["change"] for event in events.of("intervention")]
    assert changes[0] == ""
    assert {"saturating_activation", "weight_scale", "learning_rate_high"} <= set(changes)
    assert len(changes) == len(set(changes))
    assert {event.data["of"] for event in events.of("intervention")} == {0}
    assert not events.of("capture_failure")


def test_what_the_recording_shows_of_the_script_is_told() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cut, self.on = nn.Linear(10, 3), nn.Linear(10, 1)

        def forward(self, x: Tensor) -> Tensor:
            out: Tensor = self.on(x) + self.cut(x).argmax(1, keepdim=True)
            return out

    def spread(out: Tensor) -> Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return (out - torch.ones(64)).cosh().log().mean()

    net = Net()
    events = train(net, torch.optim.SGD(net.parameters(), 0.01), steps=5, loss_of=spread)
    (outer,), (cut,) = events.of("accidental_outer"), events.of("graph_cut")
    assert outer.data["joint"] == [64, 64]
    assert (cut.data["op"], cut.data["parameters"]) == ("argmax", ["cut.weight", "cut.bias"])
    assert [event.data for event in events.of("autocast")] == [{"dtypes": ["bfloat16"]}]
    assert not events.of("orphan_parameters")
    assert not events.of("capture_failure")


def test_what_the_loss_was_given_is_noted_once() -> None:
    net = stack(nn.ReLU, 2)
    (event,) = train(net, torch.optim.Adam(net.parameters(), 0.01)).of("loss_call")
    assert event.tick == 0
    assert event.data["function"] == "cross_entropy"
    assert event.data["prediction"]["shape"] == [64, 2]
    assert event.data["target"] == {"shape": [64], "integer": True, "least": 0, "largest": 1, "whole": True} | {
        "zeros": event.data["target"]["zeros"]
    }


def test_a_run_that_learns_is_left_alone() -> None:
    net = stack(nn.Tanh, 2)
    events = train(net, torch.optim.Adam(net.parameters(), 0.01))
    assert not events.of("intervention")
    assert not events.of("intervention_abstained")


def test_a_short_run_is_tested_at_its_end() -> None:
    net = stack(nn.Sigmoid, 10)
    assert train(net, torch.optim.SGD(net.parameters(), 0.01), steps=10).of("intervention")


def test_a_loss_that_doubles_is_looked_into_early() -> None:
    net = stack(nn.ReLU, 2)
    events = train(net, torch.optim.SGD(net.parameters(), 50.0), steps=60)
    assert events.of("intervention")[0].tick <= 25


@pytest.mark.parametrize("activation", [nn.Sigmoid, nn.Tanh])
def test_weights_end_where_they_end_without_it(activation: type[nn.Module]) -> None:
    ends = []
    for watched in (False, True):
        net = stack(activation, 10)
        optimizer = torch.optim.Adam(net.parameters(), 1e-3)
        if watched:
            train(net, optimizer)
        else:
            x = torch.randn(64, 10, generator=torch.Generator().manual_seed(1))
            y = (x[:, 0] > 0).long()
            for _ in range(STEPS):
                optimizer.zero_grad()
                F.cross_entropy(net(x), y).backward()
                optimizer.step()
        ends.append(([p.detach().clone() for p in net.parameters()], torch.get_rng_state()))
    assert all(torch.equal(a, b) for a, b in zip(ends[0][0], ends[1][0], strict=True))
    assert torch.equal(ends[0][1], ends[1][1])


def test_a_closure_is_declined_and_says_why() -> None:
    net = stack(nn.Sigmoid, 3)
    optimizer = torch.optim.LBFGS(net.parameters(), max_iter=2)
    events = Events()
    monitor = Monitor(events)
    monitor.start([net])
    x, y = torch.randn(16, 10), torch.arange(16) % 2

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        return loss

    for _ in range(5):
        optimizer.step(closure)  # type: ignore[arg-type]
    monitor.stop()
    (event,) = events.of("intervention_abstained")
    assert "evaluates the loss itself" in event.data["why"]


def test_functions_without_a_module_are_recorded_from_the_second_step_on() -> None:
    torch.manual_seed(2)
    w = [torch.zeros(10, 10).normal_(0, 0.01).requires_grad_() for _ in range(4)]
    optimizer = torch.optim.SGD(w, 1e-3)
    events = Events()
    monitor = Monitor(events)
    monitor.start()
    x, y = torch.randn(64, 10), torch.arange(64) % 10
    for _ in range(STEPS):
        h = x
        for weight in w[:-1]:
            h = torch.tanh(h @ weight)
        loss = F.cross_entropy(h @ w[-1], y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    monitor.stop()
    tests = events.of("intervention")
    assert tests[0].data["of"] == 1
    assert "weight_scale" in {event.data["change"] for event in tests}


def test_a_gradient_cleared_before_the_step_is_noted() -> None:
    net = stack(nn.ReLU, 2)
    optimizer = torch.optim.Adam(net.parameters(), 1e-3)
    events = Events()
    monitor = Monitor(events)
    monitor.start([net])
    x, y = torch.randn(16, 10), torch.arange(16) % 2
    for _ in range(5):
        F.cross_entropy(net(x), y).backward()
        optimizer.zero_grad()
        optimizer.step()
    monitor.stop()
    assert len(events.of("gradient_cleared_before_step")) == 1
