"""Both slopes of a loss: closed forms, naive twins, and what they say of healthy and of kinked networks."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from gradclinic.measure.slope import check_slope
from gradclinic.measure.slope.along import compare
from gradclinic.measure.slope.direction import Random, Uphill, inner
from gradclinic.measure.slope.precision import DOUBLE, SINGLE
from gradclinic.measure.slope.twin import Twin

from .networks import around, cross_entropy, data, drawn, normal


class Quadratic(nn.Module):
    """½ Σ a_i w_i² over one parameter: the slope along u is Σ a_i w_i u_i."""

    def __init__(self, size: int = 5) -> None:
        super().__init__()
        self.w = nn.Parameter(normal(size))

    def forward(self, a: Tensor) -> Tensor:
        return 0.5 * (a * self.w**2).sum()


def itself(model: nn.Module, batch: Any) -> Tensor:
    return model(batch)


def test_slopes_of_a_quadratic() -> None:
    model, a = Quadratic(), normal(5, seed=1).abs()
    twin = Twin(model, itself, a, DOUBLE)
    _, gradient, _ = twin.gradient()
    direction = Random(twin, 7)
    exact = float((a.double() * model.w.detach().double() * direction(0)).sum())
    seen = compare(twin, gradient, "random", direction)
    assert seen.along.given == pytest.approx(exact, rel=1e-14)
    assert seen.along.measured == pytest.approx(exact, rel=1e-8)
    assert not seen.rough
    assert not seen.disagrees(DOUBLE)


def test_along_the_gradient_the_slope_is_its_square() -> None:
    model, a = Quadratic(), normal(5, seed=1).abs()
    twin = Twin(model, itself, a, DOUBLE)
    _, gradient, _ = twin.gradient()
    uphill = Uphill.of(gradient, twin)
    assert uphill is not None
    square = float(gradient[0].square().sum()) * uphill.scale
    assert compare(twin, gradient, "gradient", uphill).along.measured == pytest.approx(square, rel=1e-8)
    assert float(uphill(0).norm()) == pytest.approx(float(model.w.detach().norm()), rel=1e-6)


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), width=st.integers(1, 20), depth=st.integers(0, 4))
def test_a_twin_is_the_model_in_float64(seed: int, width: int, depth: int) -> None:
    torch.manual_seed(seed)
    hidden = [layer for _ in range(depth) for layer in (nn.Linear(width, width), nn.Tanh())]
    model = nn.Sequential(nn.Linear(8, width), nn.Tanh(), *hidden, nn.Linear(width, 3))
    batch = data(seed=seed)
    twin = Twin(model, cross_entropy, batch, DOUBLE)
    naive = copy.deepcopy(model).double()
    loss = cross_entropy(naive, (batch[0].double(), batch[1]))
    loss.backward()
    value, gradient, _ = twin.gradient()
    assert value == float(loss.detach())
    direction = Random(twin, seed)
    by_hand = sum(float((own.grad * direction(i)).sum()) for i, own in enumerate(naive.parameters()))
    assert inner(gradient, direction) == pytest.approx(by_hand, rel=1e-12, abs=1e-14)
    # Central differences, done the plain way.
    ends = []
    for sign in (1, -1):
        moved = copy.deepcopy(naive)
        with torch.no_grad():
            for i, own in enumerate(moved.parameters()):
                own += sign * 1e-5 * direction(i)
        ends.append(float(cross_entropy(moved, (batch[0].double(), batch[1])).detach()))
    seen = compare(twin, gradient, "random", direction)
    assert seen.along.measured == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-4, abs=1e-8)
    assert not seen.disagrees(DOUBLE)


def test_a_direction_is_the_same_each_time_and_moves_only_what_it_should() -> None:
    twin = Twin(around(nn.Identity()), cross_entropy, data(), DOUBLE)
    one, again, other = Random(twin, 1), Random(twin, 1), Random(twin, 2)
    assert torch.equal(one(0), again(0))
    assert not torch.equal(one(0), other(0))
    assert Random(twin, 1, frozenset({2}))(0) is None
    biases = [(one(place) / twin.sizes[place]) for place in (1, 3)]
    assert not torch.allclose(*biases)
    root = float(twin.parameters[0].detach().square().mean().sqrt())
    assert float(one(0).square().mean().sqrt()) == pytest.approx(root, rel=0.2)


def test_zeros_move_by_one() -> None:
    model = nn.Linear(8, 3)
    nn.init.zeros_(model.weight)
    assert Twin(model, cross_entropy, data(), DOUBLE).sizes[0] == 1.0


def test_cost_where_all_is_well() -> None:
    result = check_slope(around(nn.Tanh()), cross_entropy, data())
    assert (result.state, result.forwards, result.backwards) == ("right", 10, 1)
    assert result.precision == "float64"
    assert result.narrow is None
    assert max(along.error for along in result.along) < 1e-6


@pytest.mark.parametrize("block", range(8))
def test_no_false_alarm_on_healthy_networks(block: int) -> None:
    for seed in range(25 * block, 25 * block + 25):
        model, loss, batch = drawn(seed)
        result = check_slope(model, loss, batch)
        assert result.state == "right", (seed, result)


@pytest.mark.parametrize("block", range(4))
def test_no_false_alarm_in_own_precision(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradclinic.measure.slope.start.room", lambda model: -1)
    for seed in range(15 * block, 15 * block + 15):
        model, loss, batch = drawn(seed)
        result = check_slope(model, loss, batch)
        assert result.state in ("right", "abstained"), (seed, result)
        assert result.precision == "float32"
        assert result.narrow


def test_at_a_kink_that_lies_exactly_here() -> None:
    """At zero weights every ReLU sits on its kink, where central differences see half the slope."""
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))
    nn.init.zeros_(model[0].weight)
    nn.init.zeros_(model[0].bias)
    twin = Twin(model, cross_entropy, data(), DOUBLE)
    assert compare(twin, twin.gradient()[1], "random", Random(twin, 0)).disagrees(DOUBLE)
    assert check_slope(model, cross_entropy, data()).state == "right"


def test_a_staircase_finer_than_the_step_is_a_slope_that_the_gradient_leaves_out() -> None:
    class Rounded(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w = nn.Parameter(normal(1000))

        def forward(self, x: Tensor) -> Tensor:
            return (self.w * x).mean() + torch.round(self.w * 1e9).mean() * 1e-9

    x = normal(1000, seed=1)
    result = check_slope(Rounded(), itself, x)
    assert [item.kind for item in result.disagreements] == ["detached"]
    # Of (x + 1)/1000, the 1.
    assert result.hidden == pytest.approx(1 / float((x + 1).square().mean().sqrt()), rel=0.5)


def test_a_loss_that_bends_within_a_step_is_seen_with_a_finer_one() -> None:
    class Wave(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w = nn.Parameter(normal(5))

        def forward(self, x: Tensor) -> Tensor:
            return (torch.sin(1e5 * self.w) * x).mean()

    result = check_slope(Wave(), itself, normal(5, seed=1))
    assert result.state == "right"
    assert max(along.error for along in result.along) < 1e-3


def test_precisions() -> None:
    assert DOUBLE.epsilon == 2.0**-52
    assert SINGLE.epsilon == 2.0**-23
    assert SINGLE.name == "float32"
