"""What is measured stays as it was, to the bit."""

from __future__ import annotations

import copy
import random

import numpy as np
import pytest
import torch
from torch import nn

from gradclinic.measure.phase import phases
from gradclinic.measure.representations import representations


def everything(model):
    return (
        [(name, tensor.clone()) for name, tensor in model.state_dict(keep_vars=True).items()],
        [None if p.grad is None else p.grad.clone() for p in model.parameters()],
        [p.requires_grad for p in model.parameters()],
        [module.training for module in model.modules()],
        torch.get_rng_state(),
        random.getstate(),
        np.random.get_state()[1].tolist(),
        [len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules()],
        torch.backends.mha.get_fastpath_enabled(),
        torch.is_grad_enabled(),
    )


def same(before, after):
    for (name, one), (_, other) in zip(before[0], after[0], strict=True):
        assert torch.equal(one, other), name
    for one, other in zip(before[1], after[1], strict=True):
        assert (one is None and other is None) or torch.equal(one, other)
    assert torch.equal(before[4], after[4])
    assert before[2:4] + before[5:] == after[2:4] + after[5:]


def model():
    torch.manual_seed(0)
    made = nn.Sequential(
        nn.Conv2d(3, 8, 3),
        nn.BatchNorm2d(8),
        nn.ReLU(inplace=True),
        nn.Dropout(0.3),
        nn.Conv2d(8, 8, 3),
        nn.Flatten(),
        nn.utils.parametrizations.spectral_norm(nn.Linear(128, 16)),
        nn.Tanh(),
        nn.Linear(16, 4),
    )
    made(torch.randn(4, 3, 8, 8)).sum().backward()
    made[8].weight.requires_grad_(False)
    return made


@pytest.mark.parametrize("backward", [False, True])
def test_phases_leave_everything_as_it_was(backward):
    trained, x = model(), torch.randn(4, 3, 8, 8)
    given, before = x.clone(), everything(trained)
    result = phases(trained, lambda: trained(x).sum(), backward=backward)
    same(before, everything(trained))
    assert torch.equal(x, given)
    assert result.stacks


def test_representations_leave_everything_as_it_was():
    trained, x = model(), torch.randn(4, 3, 8, 8)
    before = everything(trained)
    representations(trained, lambda: trained(x).sum())
    same(before, everything(trained))


@pytest.mark.parametrize("measure", [phases, representations])
def test_a_failing_pass_leaves_everything_as_it_was(measure):
    trained = model()
    before = everything(trained)
    hooks = torch.nn.modules.module._global_forward_hooks
    there = len(hooks)

    def run():
        trained(torch.randn(4, 3, 8, 8))
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        measure(trained, run)
    same(before, everything(trained))
    assert len(hooks) == there


def test_two_measurements_agree_and_so_does_a_copy():
    trained, x = model(), torch.randn(4, 3, 8, 8)
    one, other = (phases(m, lambda m=m: m(x).sum(), backward=True) for m in (trained, copy.deepcopy(trained)))
    assert one == other == phases(trained, lambda: trained(x).sum(), backward=True)


def test_no_gradient_can_be_measured_of_what_is_no_scalar():
    trained, x = model(), torch.randn(4, 3, 8, 8)
    with pytest.raises(ValueError, match="scalar tensor"):
        phases(trained, lambda: trained(x), backward=True)
