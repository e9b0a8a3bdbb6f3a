"""Targets that belong to other predictions average out; in the right order they add up."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from gradclinic.measure.replay import Pairing, Replay, Tape, pairing
from gradclinic.measure.replay.battery import BUDGET


def measured(turned: bool, seed: int = 0, spent: int = 0, flat: bool = True) -> Pairing | None:
    torch.manual_seed(seed)
    x = torch.randn(24, 10, 5)
    y = (x[:, :, 0] > 0).long() + (x[:, :, 1] > 0).long()
    body, head = nn.GRU(5, 12, batch_first=True), nn.Linear(12, 3)
    y = y.t() if turned else y
    tape = Tape(lambda: "")
    tape.begin([x])
    out = head(body(x)[0])
    loss = F.cross_entropy(out.reshape(-1, 3), y.reshape(-1)) if flat else F.cross_entropy(out[:, -1], y.flatten()[:24])
    tape.close([loss])
    tape.leave()
    return pairing(Replay(tape.recording), spent)


@pytest.mark.parametrize("seed", range(3))
def test_a_wrong_order_says_no_more_than_chance_and_the_right_one_does(seed: int):
    wrong, right = measured(True, seed), measured(False, seed)
    assert wrong is not None
    assert right is not None
    assert wrong.as_is < 2
    assert wrong.swapped > 3
    assert right.as_is > 3
    assert right.swapped < 2
    assert wrong.dimensions == (0, 1)
    assert wrong.shape == (24, 10, 3)


def test_nothing_to_test():
    assert measured(True, flat=False) is None
    assert measured(True, spent=BUDGET - 3) is None
