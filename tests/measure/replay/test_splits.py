"""Passes of one label each through a batch normalisation."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gradclinic.measure.replay import Tape, split_batches

torch.manual_seed(0)
X, ONES, ZEROS = torch.randn(16, 8), torch.ones(8), torch.zeros(8)


def of(net: nn.Module, loss: Callable[[nn.Module], Tensor]) -> object:
    tape = Tape(lambda: "")
    tape.begin([X])
    value = loss(net)
    tape.close([value])
    tape.leave()
    return split_batches(tape.recording)


def apart(net: nn.Module) -> Tensor:
    one, two = net(X[:8]).squeeze(1), net(X[8:]).squeeze(1)
    return F.binary_cross_entropy_with_logits(one, ONES) + F.binary_cross_entropy_with_logits(two, ZEROS)


def together(net: nn.Module) -> Tensor:
    return F.binary_cross_entropy_with_logits(net(X).squeeze(1), torch.cat([ONES, ZEROS]))


def views(net: nn.Module) -> Tensor:
    labels = torch.cat([ONES, ZEROS])
    return sum(F.binary_cross_entropy_with_logits(net(x).squeeze(1), labels) for x in (X, X + 0.1))


def model(norm: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Linear(8, 6), norm, nn.ReLU(), nn.Linear(6, 1))


def test_labels_that_are_passed_apart():
    assert of(model(nn.BatchNorm1d(6)), apart) == {"passes": 2, "module": ""}


@pytest.mark.parametrize("loss", [together, views])
def test_passes_that_hold_all_labels(loss: Callable[[nn.Module], Tensor]):
    assert of(model(nn.BatchNorm1d(6)), loss) is None


def test_norms_that_do_not_look_at_the_batch():
    assert of(model(nn.LayerNorm(6)), apart) is None
    assert of(model(nn.BatchNorm1d(6)).eval(), apart) is None
