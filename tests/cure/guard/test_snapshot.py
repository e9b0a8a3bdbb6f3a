import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from gradclinic.cure.guard.snapshot import Snapshot, Subject, in_memory, on_device

OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
    "adam": lambda p: torch.optim.Adam(p, lr=0.01),
    "amsgrad": lambda p: torch.optim.AdamW(p, lr=0.01, amsgrad=True),
    "rprop": torch.optim.Rprop,
    "adafactor": torch.optim.Adafactor,
    "fused": lambda p: torch.optim.Adam(p, lr=0.01, fused=True),
    "tensor rate": lambda p: torch.optim.Adam(p, lr=torch.tensor(0.01)),
}


def training(make):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 1))
    optimizer = make(model.parameters())
    x = torch.randn(32, 8)

    def train(steps):
        losses = []
        for _ in range(steps):
            loss = F.mse_loss(model(x), x[:, :1])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return losses

    return model, optimizer, train


@pytest.mark.parametrize("before", [0, 5])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_going_back_repeats_the_losses_to_the_bit(name, before):
    model, optimizer, train = training(OPTIMIZERS[name])
    train(before)
    snapshot = Snapshot(Subject((model,), (optimizer,)), in_memory)
    first = train(5)
    assert len(set(first)) == 5
    optimizer.param_groups[0]["betas"] = (0.1, 0.1)
    for _ in range(2):  # a snapshot outlives its first use
        snapshot.restore()
        assert train(5) == first


def test_the_tensors_stay_the_ones_that_others_hold():
    model, optimizer, train = training(OPTIMIZERS["adam"])
    train(2)
    held = [*model.parameters(), *model.buffers(), *(s["exp_avg"] for s in optimizer.state.values())]
    wanted = copy.deepcopy(model.state_dict())
    snapshot = Snapshot(Subject((model,), (optimizer,)), in_memory)
    train(2)
    snapshot.restore()
    now = [*model.parameters(), *model.buffers(), *(s["exp_avg"] for s in optimizer.state.values())]
    assert all(left is right for left, right in zip(held, now, strict=True))
    assert all(torch.equal(wanted[key], value) for key, value in model.state_dict().items())


def test_a_graph_that_was_built_before_can_still_run_backward():
    model, optimizer, _ = training(OPTIMIZERS["sgd"])
    snapshot = Snapshot(Subject((model,), (optimizer,)), on_device)
    loss = model(torch.randn(4, 8)).sum()
    snapshot.restore()
    loss.backward()


def test_only_broken_buffers_are_mended():
    model, optimizer, train = training(OPTIMIZERS["sgd"])
    train(3)
    snapshot = Snapshot(Subject((model,), (optimizer,)), in_memory)
    kept = model[1].running_var.clone()
    train(3)
    mean = model[1].running_mean.clone()
    model[1].running_var[0] = float("nan")
    assert snapshot.mend_buffers() == 1
    assert torch.equal(model[1].running_var, kept)
    assert torch.equal(model[1].running_mean, mean)
    assert int(model[1].num_batches_tracked) == 6


def test_frozen_weights_are_not_copied():
    model, optimizer, _ = training(lambda p: torch.optim.SGD(list(p)[-1:], lr=0.1))
    model[0].requires_grad_(False)
    names = [
        name for name, p in model.named_parameters() if any(p is t for t in Subject((model,), (optimizer,)).weights())
    ]
    assert names == ["1.weight", "1.bias", "3.weight", "3.bias"]


def test_its_size_counts_the_optimizers_state():
    model, optimizer, train = training(OPTIMIZERS["adam"])
    subject = Subject((model,), (optimizer,))
    weights = sum(p.numel() for p in model.parameters())
    before = subject.bytes()
    train(1)
    # Two moments in float32, and a step count for each of the six parameters.
    assert subject.bytes() - before == 4 * (2 * weights + 6)
