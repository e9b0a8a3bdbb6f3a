"""What can be read off a loss: classes, the best constant, a broadcast."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from gradclinic.measure.ledger import measure


def objective_of(loss):
    return measure(loss).objective


def predictions(columns=3, rows=8):
    torch.manual_seed(0)
    return nn.Linear(5, columns)(torch.randn(rows, 5))


def best_constant(function, target):
    """The smallest mean loss of one number per column, by search."""
    total = 0.0
    for column in target.double().t():
        grid = torch.linspace(float(column.min()), float(column.max()), 20001, dtype=torch.float64)
        total += min(float(function(guess.expand_as(column), column)) for guess in grid[::40])
    return total / target.shape[1]


def test_cross_entropy():
    labels = torch.tensor([0, 0, 0, 0, 1, 1, 2, -100])
    found = objective_of(F.cross_entropy(predictions(), labels))
    entropy = -sum(p * math.log(p) for p in (4 / 7, 2 / 7, 1 / 7))
    assert found.op == "NllLoss"
    assert found.classes == 3
    assert found.constant_loss == pytest.approx(entropy)
    summed = objective_of(F.cross_entropy(predictions(), labels, reduction="sum"))
    assert summed.constant_loss == pytest.approx(7 * entropy)


@pytest.mark.parametrize(
    ("function", "op"),
    [(F.mse_loss, "MseLoss"), (F.l1_loss, "Sub Abs"), (F.huber_loss, "HuberLoss"), (F.smooth_l1_loss, "SmoothL1Loss")],
)
def test_regression(function, op):
    target = torch.randn(9, 3) * 0.5 + 1
    found = objective_of(function(predictions(rows=9), target))
    assert found.op == op
    assert found.constant_loss == pytest.approx(best_constant(function, target), rel=0.02)
    assert found.target_mean == pytest.approx(float(target.mean()), rel=1e-5)
    assert found.target_rms == pytest.approx(float(target.square().mean().sqrt()), rel=1e-5)
    assert found.broadcast is None


@pytest.mark.parametrize("function", [F.mse_loss, F.l1_loss, lambda x, y: ((x - y) ** 2).mean()])
def test_each_of_a_few_outputs_has_its_own_variance_and_error(function):
    target = torch.randn(9, 3) * torch.tensor([0.1, 1.0, 100.0])
    guess = predictions(rows=9)
    found = objective_of(function(guess, target)).outputs
    pairs = zip(target.double().numpy().T, guess.detach().double().numpy().T, strict=True)
    for (variance, error), (wanted, given) in zip(found, pairs, strict=True):
        assert variance == pytest.approx(wanted.var(), rel=1e-3)
        assert error == pytest.approx(((wanted - given) ** 2).mean(), rel=1e-3)


def test_many_outputs_or_a_single_one_are_not_told_apart():
    for columns in (1, 17):
        assert objective_of(F.mse_loss(predictions(columns), torch.randn(8, columns))).outputs == ()


@pytest.mark.parametrize("with_logits", [True, False])
def test_binary_cross_entropy(with_logits):
    target = (torch.arange(16).reshape(8, 2) % 3 == 0).float()
    logits = predictions(2)
    if with_logits:
        found = objective_of(F.binary_cross_entropy_with_logits(logits, target))
    else:
        found = objective_of(F.binary_cross_entropy(logits.sigmoid(), target))
    means = target.mean(0)
    expected = float(F.binary_cross_entropy(means.expand(8, 2), target))
    assert found.constant_loss == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("flip", [False, True])
def test_square_written_by_hand(flip):
    target = torch.randn(8, 3) + 4
    prediction = predictions()
    found = objective_of(((target - prediction if flip else prediction - target) ** 2).mean())
    assert found.constant_loss == pytest.approx(float(target.var(0, correction=0).mean()), rel=1e-4)
    assert found.target_shape == (8, 3)
    assert found.target_mean == pytest.approx(float(target.mean()), rel=1e-4)


BROADCASTS = {
    "by hand": lambda p, y: ((p - y) ** 2).mean(),
    "by hand, turned": lambda p, y: (y - p).abs().mean(),
    "mse_loss": F.mse_loss,
    "l1_loss": F.l1_loss,
    "huber_loss": F.huber_loss,
}


@pytest.mark.filterwarnings("ignore:Using a target size")
@pytest.mark.parametrize("case", BROADCASTS)
def test_outer_product_of_column_and_vector(case):
    loss = BROADCASTS[case]
    found = objective_of(loss(predictions(1), torch.randn(8)))
    assert found.broadcast == ((8, 1), (8,))
    found = objective_of(loss(predictions(1).squeeze(1), torch.randn(8, 1)))
    assert found.broadcast == ((8,), (8, 1))


@pytest.mark.parametrize("case", BROADCASTS)
def test_matching_shapes_are_no_broadcast(case):
    loss = BROADCASTS[case]
    assert objective_of(loss(predictions(1), torch.randn(8, 1))).broadcast is None
    assert objective_of(loss(predictions(8), torch.randn(8, 8))).broadcast is None
    assert objective_of(loss(predictions(1).squeeze(1), torch.randn(8))).broadcast is None


def test_scalar_targets_are_no_broadcast():
    """A GAN's loss against 1, say: spread on purpose."""
    assert objective_of(((predictions(1) - 1.0) ** 2).mean()).broadcast is None


def test_a_loss_without_a_target_has_no_objective():
    assert objective_of(predictions().sum()) is None


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize(
    "loss",
    [
        lambda out, how: F.cross_entropy(out, torch.tensor([0, 1, 2, 0, 1, 2, 0, -100]), reduction=how),
        lambda out, how: F.mse_loss(out, torch.ones(8, 3), reduction=how),
        lambda out, how: F.smooth_l1_loss(out, torch.arange(24.0).view(8, 3), reduction=how, beta=0.5),
        lambda out, how: F.huber_loss(out, torch.arange(24.0).view(8, 3), reduction=how, delta=2.0),
        lambda out, how: F.binary_cross_entropy_with_logits(out, torch.rand(8, 3), reduction=how),
        lambda out, how: F.binary_cross_entropy(out.sigmoid(), torch.rand(8, 3), reduction=how),
    ],
)
def test_the_operations_own_value_is_the_loss(loss, reduction):
    value = loss(predictions(), reduction)
    found = objective_of(value)
    assert found.value == pytest.approx(float(value.detach()), rel=1e-5)
    assert found.alone


def test_a_penalty_or_a_second_head_is_told_from_a_factor():
    out = predictions()
    main = F.mse_loss(out, torch.ones(8, 3))
    for other in (0.1 * out.pow(2).sum(), F.l1_loss(out, torch.zeros(8, 3))):
        assert not measure(main + other, retain_graph=True).objective.alone
    found = objective_of(3.0 * F.mse_loss(predictions(), torch.ones(8, 3)) / 4)
    assert found.alone
    assert found.value == pytest.approx(float(main.detach()), rel=1e-5)


@pytest.mark.parametrize("power", [torch.abs, torch.square])
def test_the_value_of_a_loss_written_by_hand_is_its_mean(power):
    out = predictions()
    value = power(out - torch.arange(24.0).view(8, 3)).mean()
    found = objective_of(value)
    assert found.value == pytest.approx(float(value.detach()), rel=1e-5)
    assert found.alone
