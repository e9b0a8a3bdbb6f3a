"""Changes of steps, rates, gradients and precision against their formulas."""

from __future__ import annotations

from math import cos, pi

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from gradclinic.cure.patient import Patient
from gradclinic.cure.recipe import Applied, Change, Recipe
from gradclinic.cure.remedies import find_remedy
from gradclinic.cure.remedies.target_standardization import targets
from gradclinic.cure.remedy import CannotApply
from gradclinic.cure.surgery.wide_step import stochastic
from gradclinic.task import seed_all
from tests.cure.zoo import classifier, mlp, regressor, rows


def applied(model: nn.Module, optimizer: torch.optim.Optimizer, remedy: str, **options: object) -> Applied:
    return Recipe.of(Change(remedy, options)).apply(model, optimizer)


def one(weight: Tensor, lr: float = 1.0, kind: type[torch.optim.Optimizer] = torch.optim.SGD) -> tuple:
    """A model of one weight, and its optimizer."""
    model = nn.Linear(*reversed(weight.shape), bias=False, dtype=weight.dtype)
    model.weight.data = weight.clone()
    return model, kind(model.parameters(), lr=lr)


def rates(model: nn.Module, optimizer: torch.optim.Optimizer, steps: int) -> list[float]:
    found = []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        model.weight.grad = torch.zeros_like(model.weight)
        optimizer.step()
    return found


def test_momentum_moves_by_all_gradients_so_far() -> None:
    model, optimizer = applied(*one(torch.zeros(1, 1)), "momentum", momentum=0.5)
    for _ in range(3):
        model.weight.grad = torch.ones_like(model.weight)
        optimizer.step()
    # By hand: 1, then 1 + 1/2, then 1 + 1/2 + 1/4.
    assert model.weight.item() == pytest.approx(-(1 + 1.5 + 1.75))


def test_momentum_is_adams_first_beta_and_leaves_the_second() -> None:
    _, optimizer = applied(*one(torch.zeros(1, 1), kind=torch.optim.Adam), "momentum", momentum=0.5)
    assert optimizer.param_groups[0]["betas"] == (0.5, 0.999)


@pytest.mark.parametrize(("kind", "momentum"), [(torch.optim.Adagrad, 0.5), (torch.optim.SGD, 1.0)])
def test_a_momentum_that_cannot_be_is_refused(kind: type[torch.optim.Optimizer], momentum: float) -> None:
    with pytest.raises(CannotApply, match="momentum"):
        applied(*one(torch.zeros(1, 1), kind=kind), "momentum", momentum=momentum)


def test_warm_up_rises_by_equal_steps_and_stays() -> None:
    model, optimizer = applied(*one(torch.ones(1, 1), 0.8), "warmup", steps=4)
    assert rates(model, optimizer, 6) == pytest.approx([0.2, 0.4, 0.6, 0.8, 0.8, 0.8])


def test_cosine_falls_to_nothing_over_the_budget() -> None:
    model, optimizer = applied(*one(torch.ones(1, 1)), "schedule", kind="cosine", steps=10, warmup=2)
    expected = [0.5, 1.0, *((1 + cos(pi * t / 8)) / 2 for t in range(9)), 0.0]
    assert rates(model, optimizer, 12) == pytest.approx(expected, abs=1e-12)


def test_the_step_schedule_drops_by_ten_at_half_and_three_quarters() -> None:
    model, optimizer = applied(*one(torch.ones(1, 1)), "schedule", kind="step", steps=8)
    assert rates(model, optimizer, 8) == pytest.approx([1, 1, 1, 1, 0.1, 0.1, 0.01, 0.01])


def test_units_are_clipped_by_the_formula_of_the_paper() -> None:
    seed_all(1)
    weight, gradient = torch.randn(4, 3), torch.randn(4, 3)
    weight[3] = 0
    model, optimizer = applied(*one(weight), "gradient_clipping", kind="unit", limit=0.3)
    model.weight.grad = gradient.clone()
    optimizer.step()
    for row in range(4):  # Brock et al. 2021, equation 3, with ε = 1e-3
        bound = 0.3 * max(weight[row].norm().item(), 1e-3)
        own = float(gradient[row].norm())
        expected = weight[row] - (gradient[row] * bound / own if own > bound else gradient[row])
        assert torch.allclose(model.weight[row], expected, atol=1e-6)


@given(st.floats(0.01, 100), st.floats(0.01, 10))
def test_a_clipped_norm_is_the_limit_or_what_it_was(scale: float, limit: float) -> None:
    model, optimizer = applied(*one(torch.zeros(2, 3)), "gradient_clipping", kind="norm", limit=limit)
    model.weight.grad = torch.full((2, 3), scale)
    optimizer.step()
    assert model.weight.norm().item() == pytest.approx(min(limit, scale * 6**0.5), rel=1e-4)


def test_a_spike_is_brought_down_to_the_mirrored_z_score() -> None:
    model, optimizer = applied(*one(torch.zeros(1, 1)), "gradient_clipping", kind="zscore", limit=2.0)
    norms = [1.0, 3.0] * 12 + [2.0]  # 25 steps: mean 2, variance 24/25
    for norm in [*norms, 10.0]:
        before = model.weight.item()
        model.weight.grad = torch.full((1, 1), norm)
        optimizer.step()
    deviation = (24 / 25) ** 0.5
    score = 8 / deviation
    assert before - model.weight.item() == pytest.approx(2 + 4 / score * deviation, rel=1e-4)


def test_what_happens_around_a_step_follows_the_optimizer_that_comes_later() -> None:
    model, optimizer = one(torch.zeros(1, 2))
    recipe = Recipe.of(
        Change("stochastic_rounding", {"kind": "copy"}),
        Change("optimizer", {"name": "sgd", "lr": 1.0}),
    )
    model.to(torch.bfloat16)
    model.weight.data.fill_(256)
    _, optimizer = recipe.apply(model, optimizer)
    for _ in range(4):  # 256 + 0.25 is 256 in bfloat16: only what is kept in float32 adds up
        model.weight.grad = torch.full((1, 2), -0.5, dtype=torch.bfloat16)
        optimizer.step()
    assert model.weight.tolist() == [[258.0, 258.0]]
    assert model.weight.dtype == torch.bfloat16


def test_without_a_copy_the_same_updates_are_lost() -> None:
    model, optimizer = one(torch.full((1, 2), 256, dtype=torch.bfloat16))
    for _ in range(4):
        model.weight.grad = torch.full((1, 2), -0.5, dtype=torch.bfloat16)
        optimizer.step()
    assert model.weight.tolist() == [[256.0, 256.0]]


def test_random_rounding_is_right_on_the_average_and_to_a_neighbour() -> None:
    rounding = stochastic(torch.Generator().manual_seed(0))
    x = torch.full((100_000,), 1 + 1 / 512)  # a quarter of the way from 1 to 1 + 1/128
    low = rounding(x, torch.bfloat16)
    assert set(low.float().unique().tolist()) == {1.0, 1 + 1 / 128}
    # Four standard errors of a share of a quarter.
    assert float((low > 1).float().mean()) == pytest.approx(0.25, abs=4 * (3 / 16 / 1e5) ** 0.5)
    exact = torch.tensor([0.0, -1.5, float("inf")])
    assert torch.equal(rounding(exact, torch.bfloat16).float(), exact)


def test_scaled_gradients_arrive_where_half_precision_loses_them() -> None:
    def step(treat: bool) -> float:
        model, optimizer = one(torch.zeros(1, 1, dtype=torch.float16), 1e4)
        if treat:
            model, optimizer = applied(model, optimizer, "loss_scaling", scale=2.0**16)
        x = torch.ones(1, 1, dtype=torch.float16)
        (model(x).float() * 1e-8).sum().backward()  # 1e-8 is 0 in float16
        optimizer.step()
        return model.weight.item()

    assert step(False) == 0.0
    assert step(True) == pytest.approx(-1e-4, rel=1e-3)  # 1e4 · 1e-8


def test_a_step_that_overflows_is_left_out_and_the_scale_falls() -> None:
    model, optimizer = one(torch.ones(1, 1, dtype=torch.float16), 0.5)
    model, optimizer = applied(model, optimizer, "loss_scaling", scale=2.0**16)
    seen = []
    for _ in range(3):
        optimizer.zero_grad()
        model(torch.ones(1, 1, dtype=torch.float16)).sum().backward()  # 1 · 65536 is infinite in float16
        optimizer.step()
        seen.append(model.weight.item())
    assert seen == [1.0, 0.5, 0.0]


def test_float32_within_half_saves_what_overflows() -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)).half()
    with torch.no_grad():
        net[0].weight.fill_(300)
        net[1].weight.fill_(1e-3)
    x = torch.full((1, 2), 200, dtype=torch.float16)
    assert not bool(net(x).isfinite().all())
    whole, _ = applied(net, torch.optim.SGD(net.parameters(), lr=0.1), "raise_precision")
    assert bool(whole(x).isfinite().all())
    assert whole(x).dtype == torch.float32


def test_a_part_gives_back_what_it_was_given() -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 2), nn.Tanh()), nn.Linear(2, 2)).half()
    applied(net, torch.optim.SGD(net.parameters(), lr=0.1), "raise_precision", modules=["1"])
    inside = []
    net[1][1].register_forward_hook(lambda module, args, output: inside.append(output.dtype))
    assert net(torch.ones(1, 2, dtype=torch.float16)).dtype == torch.float16
    assert inside == [torch.float32]
    assert [p.dtype for p in net.parameters()] == [torch.float16] * 2 + [torch.float32] * 2 + [torch.float16] * 2


def test_autocast_ends_at_the_part() -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    applied(net, torch.optim.SGD(net.parameters(), lr=0.1), "raise_precision", modules=["1"])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert net[0](torch.ones(1, 2)).dtype == torch.bfloat16
        assert net[1].forward(torch.ones(1, 2)).dtype == torch.bfloat16  # past the hooks
        assert net[1](torch.ones(1, 2)).dtype == torch.float32
        assert torch.is_autocast_enabled("cpu")


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_targets_of_a_squared_loss_are_found_from_the_loss_alone(reduction: str) -> None:
    y = 1e3 * rows(12, 1) + 4e3
    task = regressor(nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 1)), rows(12, 6), y, reduction)
    found = targets(Patient(task, task.new_optimizer(), tuple(task.batches())))
    assert found is not None
    assert torch.allclose(found.float(), y.flatten(), rtol=1e-4)


def test_samples_may_have_weights() -> None:
    y, weights = 1e3 * rows(12, 1) + 4e3, torch.arange(1.0, 13.0)[:, None]
    task = regressor(nn.Linear(6, 1), rows(12, 6), y)
    other = type(task)(
        task.model, task.batches, lambda m, b: (weights * (m(b[0]) - b[1]) ** 2).mean(), task.optimizer, 10
    )
    found = targets(Patient(other, other.new_optimizer(), tuple(other.batches())))
    assert found is not None
    assert torch.allclose(found.float(), y.flatten(), rtol=1e-4)


@pytest.mark.parametrize(
    "loss", [F.l1_loss, lambda p, y: F.smooth_l1_loss(p, y, beta=1e4), lambda p, y: p.exp().mean() - (p * y).mean()]
)
def test_of_other_losses_nothing_is_claimed(loss: object) -> None:
    task = regressor(nn.Linear(6, 1), rows(12, 6), 1e5 * rows(12, 1))
    other = type(task)(task.model, task.batches, lambda m, b: loss(m(b[0]), b[1]), task.optimizer, 10)
    assert targets(Patient(other, other.new_optimizer(), tuple(other.batches()))) is None


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("depth", [1, 9])
def test_nor_of_a_cross_entropy(depth: int, seed: int) -> None:
    # The rows of its curvature add up to 0, and what rounding leaves of that may be above 0 everywhere.
    seed_all(seed)
    task = classifier(mlp(depth, width=32), rows(12, 6))
    assert targets(Patient(task, task.new_optimizer(), tuple(task.batches()))) is None


def test_not_even_where_rounding_makes_its_curvature_positive() -> None:
    def rounded(p: Tensor, y: Tensor) -> Tensor:
        return F.cross_entropy(p, y) + 1e-9 * p.square().sum()

    x, y = rows(2, 6), torch.tensor([0, 1])
    task = regressor(nn.Linear(6, 3), x, y)
    other = type(task)(task.model, task.batches, lambda m, b: rounded(m(b[0]), b[1]), task.optimizer, 10)
    assert targets(Patient(other, other.new_optimizer(), tuple(other.batches()))) is None


def test_standardised_targets_and_inputs_keep_the_meaning_of_the_output() -> None:
    net = nn.Linear(6, 1)
    x = 50 * rows(12, 6) + 7
    expected = net((x - 7) / 50) * 1e3 + 4e3
    recipe = Recipe.of(
        Change("input_standardization", {"mean": 7.0, "std": 50.0}),
        Change("target_standardization", {"mean": 4e3, "std": 1e3}),
    )
    model, _ = recipe.apply(net, torch.optim.SGD(net.parameters(), lr=0.1))
    assert torch.allclose(model(x), expected)
    assert torch.allclose(model(input=x), expected)


def test_constants_that_a_half_cannot_hold_are_kept_in_float32() -> None:
    net = nn.Linear(2, 1).half()
    with torch.no_grad():
        net.weight.fill_(1)
        net.bias.fill_(0)
    model, _ = applied(net, torch.optim.SGD(net.parameters(), lr=1), "input_standardization", mean=6e4, std=1e-8)
    assert model(torch.full((1, 2), 6e4, dtype=torch.float16)).item() == 0.0  # not 0/0


def test_epsilon_is_brought_back_to_the_usual() -> None:
    model, optimizer = one(torch.ones(1, 1), kind=torch.optim.Adam)
    optimizer.param_groups[0]["eps"] = 1.0
    patient = Patient(classifier(mlp(1), rows(4, 6)), optimizer, ())
    assert list(find_remedy("epsilon").propose(patient)) == [{"eps": 1e-8}]
    _, optimizer = applied(model, optimizer, "epsilon", eps=1e-8)
    model.weight.grad = torch.full((1, 1), 1e-4)
    optimizer.step()
    assert model.weight.item() == pytest.approx(0.0, abs=1e-3)  # a whole step of lr = 1


def test_parameters_that_were_left_out_are_trained() -> None:
    net = mlp(1)
    net[0].requires_grad_(False)
    optimizer = torch.optim.SGD(net[4].parameters(), lr=0.1, momentum=0.9)
    before = [p.detach().clone() for p in net.parameters()]
    found = applied(net, optimizer, "unfreeze")
    net(rows(4, 6)).square().sum().backward()
    found[1].step()
    assert not any(torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True))
    found.undo()
    assert [p.requires_grad for p in net.parameters()] == [False, False, True, True, True, True]
    assert len(optimizer.param_groups) == 1


def test_down_is_down() -> None:
    model, optimizer = one(torch.zeros(1, 1))
    optimizer.param_groups[0]["maximize"] = True
    _, optimizer = applied(model, optimizer, "descend")
    model.weight.grad = torch.ones(1, 1)
    optimizer.step()
    assert model.weight.item() == -1
