"""Both ends of the window against closed forms of a linear model, and against real trainings of it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from gradclinic.measure.jacobian import split
from gradclinic.measure.window import Ends, Settled, centred, measure_ends, settle, speed

N, D = 24, 5


def problem() -> tuple[nn.Linear, tuple[Tensor, Tensor]]:
    torch.manual_seed(0)
    model = nn.Linear(D, 1).double()
    x = torch.randn(N, D, dtype=torch.float64) * torch.tensor([1.0, 2.0, 0.5, 1.0, 3.0])
    return model, (x, x @ torch.randn(D, 1, dtype=torch.float64) + 2)


def ends_of(model: nn.Module, batch: tuple[Tensor, Tensor], settled: Settled, scale: float = 1.0) -> Ends:
    return measure_ends(split(model, lambda m, b: scale * loss(m, b), batch), settled)


def high(ends: Ends) -> float:
    """The largest stable learning rate."""
    assert ends.curvature is not None
    return ends.limit / ends.curvature


def loss(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    return nn.functional.mse_loss(model(batch[0]), batch[1])


def test_the_centred_residual_has_no_mean_over_the_samples() -> None:
    shapes = [torch.Size([4, 3]), torch.Size([2, 5, 3]), torch.Size([2, 3, 4, 4])]
    flat = torch.randn(sum(shape.numel() for shape in shapes))
    parts = centred(flat, shapes).split([shape.numel() for shape in shapes])
    torch.testing.assert_close(parts[0].view(4, 3).mean(0), torch.zeros(3))
    torch.testing.assert_close(parts[1].view(2, 5, 3).mean((0, 1)), torch.zeros(3))
    torch.testing.assert_close(parts[2].view(2, 3, 4, 4).mean((0, 2, 3)), torch.zeros(3))


def test_the_speed_of_a_linear_model() -> None:
    model, (x, y) = problem()
    error = (model(x) - y).detach()
    own = (error - error.mean())[:, 0]
    # J = [x, 1], and the bias gets nothing of what has no mean.
    expected = float((x.T @ own).square().sum()) / (N * float(own.square().sum()))
    ones = [torch.ones_like(p) for p in model.parameters()]
    assert speed(split(model, loss, (x, y)), ones) == pytest.approx(expected)


def test_the_ends_of_a_linear_model_under_gradient_descent() -> None:
    model, batch = problem()
    settled = settle(model, loss, lambda p: torch.optim.SGD(p, 0.1), [batch])
    assert (settled.gain, settled.limit, settled.lr) == (1.0, 2.0, 0.1)
    ends = ends_of(model, batch, settled)
    design = torch.cat([batch[0], torch.ones(N, 1, dtype=torch.float64)], 1)
    largest = float(torch.linalg.eigvalsh(2 * design.T @ design / N)[-1])
    assert ends.curvature == pytest.approx(largest, rel=1e-2)


@pytest.mark.parametrize(("times", "stable"), [(0.9, True), (1.1, False)])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_the_upper_end_is_where_training_diverges(times: float, stable: bool, momentum: float) -> None:
    model, batch = problem()
    settled = settle(model, loss, lambda p: torch.optim.SGD(p, 0.1, momentum=momentum), [batch])
    most = high(ends_of(model, batch, settled))
    optimizer = torch.optim.SGD(model.parameters(), times * most, momentum=momentum)
    first = float(loss(model, batch).detach())
    for _ in range(400):
        optimizer.zero_grad()
        loss(model, batch).backward()
        optimizer.step()
    assert (float(loss(model, batch).detach()) < first) is stable


def test_adam_sees_a_preconditioned_curvature() -> None:
    model, batch = problem()
    plain = settle(model, loss, lambda p: torch.optim.SGD(p, 0.1), [batch])
    adam = settle(model, loss, lambda p: torch.optim.Adam(p, 0.1), [batch] * 3)
    gradient = torch.autograd.grad(loss(model, batch), tuple(model.parameters()))
    for own, slope in zip(adam.diagonal.values(), gradient, strict=True):
        torch.testing.assert_close(own, 1 / (slope.abs() + 1e-8))
    assert adam.limit == pytest.approx(38.0)
    # What Adam makes of a loss does not depend on the loss's scale.
    scaled = settle(model, lambda m, b: 1e3 * loss(m, b), lambda p: torch.optim.Adam(p, 0.1), [batch] * 3)
    most = high(ends_of(model, batch, adam))
    assert high(ends_of(model, batch, scaled, 1e3)) == pytest.approx(most, rel=1e-2)
    assert high(ends_of(model, batch, plain)) != pytest.approx(most, rel=1e-2)


def test_groups_keep_the_ratio_of_their_rates() -> None:
    model, batch = problem()

    def make(_: object) -> torch.optim.Optimizer:
        return torch.optim.SGD([{"params": [model.weight], "lr": 0.5}, {"params": [model.bias], "lr": 0.05}])

    settled = settle(model, loss, make, [batch])
    assert settled.lr == 0.5
    assert [float(own.flatten()[0]) for own in settled.diagonal.values()] == pytest.approx([1.0, 0.1])


def test_settling_takes_no_step() -> None:
    model, batch = problem()
    before = [p.detach().clone() for p in model.parameters()]
    settle(model, loss, lambda p: torch.optim.AdamW(p, 0.1, weight_decay=0.5), [batch] * 4)
    assert all(torch.equal(old, new) for old, new in zip(before, model.parameters(), strict=True))


def test_what_the_optimizer_does_not_hold_does_not_move() -> None:
    model, batch = problem()
    settled = settle(model, loss, lambda _: torch.optim.SGD([model.bias], 0.1), [batch])
    ends = ends_of(model, batch, settled)
    assert ends.speed < 1e-20  # a bias alone tells no samples apart
    assert ends.curvature == pytest.approx(2.0, rel=1e-2)


def test_the_curvature_is_measured_only_where_it_is_asked_for() -> None:
    model, batch = problem()
    held = settle(model, loss, lambda p: torch.optim.SGD(p, 0.1), [batch])
    assert measure_ends(split(model, loss, batch), held, bend=False).curvature is None


def test_settling_needs_a_batch_and_a_rate() -> None:
    model, batch = problem()
    with pytest.raises(ValueError, match="no batch"):
        settle(model, loss, lambda p: torch.optim.SGD(p, 0.1), [])
    with pytest.raises(ValueError, match="learning rate is 0"):
        settle(model, loss, lambda p: torch.optim.SGD(p, 0.0), [batch])
