"""Another optimizer behind the one that a program holds."""

from __future__ import annotations

import torch
from torch import nn

from gradclinic.cure.stand_in import stand_in


def test_steps_are_those_of_the_other_and_schedules_scale_them() -> None:
    def weights(hidden: bool) -> torch.Tensor:
        torch.manual_seed(0)
        layer = nn.Linear(4, 2)
        adam = torch.optim.Adam(layer.parameters(), 0.01)
        held = torch.optim.SGD(layer.parameters(), 0.5) if hidden else adam
        if hidden:
            stand_in(held, adam)
        schedule = torch.optim.lr_scheduler.StepLR(held, 2, 0.1)
        for _ in range(5):
            held.zero_grad()
            layer(torch.ones(3, 4)).square().sum().backward()
            held.step()
            schedule.step()
        return layer.weight.detach()

    assert torch.allclose(weights(True), weights(False), rtol=1e-6)


def test_gradients_of_parameters_that_only_the_other_has_are_cleared_too() -> None:
    first, second = nn.Linear(2, 2), nn.Linear(2, 2)
    held = torch.optim.SGD(first.parameters(), 0.1)
    stand_in(held, torch.optim.SGD([*first.parameters(), *second.parameters()], 0.1))
    second(first(torch.ones(1, 2))).sum().backward()
    held.zero_grad()
    assert all(parameter.grad is None for parameter in second.parameters())
