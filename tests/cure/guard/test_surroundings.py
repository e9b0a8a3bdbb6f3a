import random

import numpy as np
import torch
from torch import nn
from torch.optim import lr_scheduler

from gradclinic.cure.guard.surroundings import Generators, Scale, Schedules, schedulers_of


def draws():
    return random.random(), np.random.rand(), torch.rand(1).item()


def test_all_three_generators_come_back():
    generators = Generators()
    first = draws()
    assert draws() != first
    generators.restore()
    assert draws() == first


def test_a_scaler_comes_back_with_its_count():
    scaler = torch.amp.GradScaler("cpu", init_scale=8.0, growth_interval=3)
    scaler.scale(torch.ones(()))
    scaler._growth_tracker.fill_(2)
    kept = Scale(scaler)
    scaler._scale.fill_(1.0)
    scaler._growth_tracker.fill_(0)
    kept.restore()
    assert (scaler.get_scale(), int(scaler._growth_tracker)) == (8.0, 2)


def test_a_scaler_that_has_not_scaled_yet_has_nothing_to_keep():
    Scale(torch.amp.GradScaler("cpu")).restore()


def test_schedulers_are_found_and_come_back():
    optimizer = torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=1.0)
    other = torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=1.0)
    schedules = [
        lr_scheduler.SequentialLR(
            optimizer,
            [lr_scheduler.LambdaLR(optimizer, lambda n: 0.9**n), lr_scheduler.CosineAnnealingLR(optimizer, 10)],
            [5],
        ),
        lr_scheduler.ReduceLROnPlateau(optimizer, patience=1),
    ]
    elsewhere = lr_scheduler.StepLR(other, 1)
    found = schedulers_of([optimizer])
    assert all(any(wanted is one for one in found) for wanted in schedules)
    assert not any(one is elsewhere for one in found)
    optimizer.step()
    schedules[0].step()
    kept = Schedules(schedules)
    schedules[1].step(1.0)
    for _ in range(6):
        schedules[0].step()
    kept.restore()
    assert (schedules[0].last_epoch, schedules[1].last_epoch) == (1, 0)
