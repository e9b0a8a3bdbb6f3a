"""An optimizer's memory in a format in which it is 0."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gradclinic.capture import Monitor
from gradclinic.schema.record import Event


class Lean(torch.optim.Optimizer):
    """Keeps the gradient's square in a format of its own."""

    def __init__(self, parameters, dtype):
        super().__init__(parameters, {"lr": 1e-4})
        self.dtype = dtype

    @torch.no_grad()
    def step(self, closure=None):
        for parameter in self.param_groups[0]["params"]:
            kept = self.state[parameter].setdefault("square", torch.zeros_like(parameter, dtype=self.dtype))
            square = kept.float() * 0.999 + 0.001 * parameter.grad.square()
            kept.copy_(square)
            parameter.sub_(1e-4 * parameter.grad / (square.sqrt() + 1e-6))


class Sink:
    def __init__(self):
        self.events = []

    def put(self, row):
        if isinstance(row, Event) and row.kind == "coarse_state":
            self.events.append(row.data)


@pytest.mark.parametrize(("dtype", "lost"), [(torch.float16, True), (torch.bfloat16, False), (torch.float32, None)])
def test_a_square_that_is_too_small_for_its_format(dtype, lost):
    torch.manual_seed(0)
    model, sink = nn.Sequential(nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 1)), Sink()
    optimizer = Lean(model.parameters(), dtype)
    monitor = Monitor(sink)
    monitor.start([model])
    for _ in range(6):
        optimizer.zero_grad()
        (1e-3 * model(torch.randn(8, 16)).pow(2).mean()).backward()
        optimizer.step()
    monitor.stop()
    if lost is None:
        assert sink.events == []
        return
    [data] = sink.events
    assert data["state"] == "square"
    assert (data["zero_share"] > 0.9) is lost
