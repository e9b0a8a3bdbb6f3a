"""Gradients that overflow and that a script throws away are told; what a step takes, or a scaler holds back, is not."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from gradclinic.capture import Monitor
from gradclinic.capture.discarded import LOOKED_AT
from gradclinic.schema.record import Event


class Events:
    """A sink that keeps the events."""

    def __init__(self) -> None:
        self.rows: list[Event] = []

    def put(self, row: object) -> None:
        if isinstance(row, Event):
            self.rows.append(row)

    def of(self, kind: str) -> list[Event]:
        return [event for event in self.rows if event.kind == kind]


X = torch.randn(16, 8, generator=torch.Generator().manual_seed(0))
Y = torch.arange(16) % 3


def train(scale: float, steps: int = 40) -> Events:
    torch.manual_seed(0)
    net = nn.Linear(8, 3)
    events = Events()
    monitor = Monitor(events)
    monitor.start([net])
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    for step in range(steps):
        with torch.autocast("cpu", dtype=torch.float16):
            loss = F.cross_entropy(net(X), Y)
        optimizer.zero_grad()
        (loss * (scale if step else 1.0)).backward()
        if all(bool(p.grad.isfinite().all()) for p in net.parameters() if p.grad is not None):
            for p in net.parameters():
                assert p.grad is not None
                p.grad.div_(scale if step else 1.0)
            optimizer.step()
    monitor.stop()
    return events


def test_a_scale_made_by_hand_that_is_too_large():
    events = train(2.0**24)
    told = events.of("gradients_discarded")
    assert told[-1].data["count"] == told[-1].data["passes"] <= LOOKED_AT
    assert len(told) > 16
    origin = events.of("non_finite_origin")[0].data
    assert origin["direction"] == "backward"


def test_a_scale_that_fits():
    assert train(2.0**10).of("gradients_discarded") == []


def test_a_step_along_them_is_told_elsewhere():
    net = nn.Linear(8, 3)
    events = Events()
    monitor = Monitor(events)
    monitor.start([net])
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    for _ in range(4):
        optimizer.zero_grad()
        (net(X).sum() * float("inf")).backward()
        optimizer.step()
    monitor.stop()
    assert events.of("gradients_discarded") == []
