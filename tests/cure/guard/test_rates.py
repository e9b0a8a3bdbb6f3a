import torch
from torch import nn

from gradclinic.cure.guard.rates import LoweredRates


def test_rates_are_lower_for_a_step_and_then_what_they_were():
    parameters = list(nn.Linear(2, 2).parameters())
    optimizer = torch.optim.Adam([{"params": parameters[:1], "lr": 0.3}, {"params": parameters[1:]}], lr=0.1)
    lowered = LoweredRates(optimizer, 0.5)
    assert [group["lr"] for group in optimizer.param_groups] == [0.15, 0.05]
    lowered.give_back()
    assert [group["lr"] for group in optimizer.param_groups] == [0.3, 0.1]


def test_a_rate_in_a_tensor_stays_in_it():
    rate = torch.tensor(0.25)
    optimizer = torch.optim.Adam(nn.Linear(2, 2).parameters(), lr=rate)
    held = optimizer.param_groups[0]["lr"]
    lowered = LoweredRates(optimizer, 0.5)
    assert held.item() == 0.125
    lowered.give_back()
    assert held.item() == 0.25
    assert optimizer.param_groups[0]["lr"] is held
