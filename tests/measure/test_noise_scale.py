"""The gradient noise scale against closed forms and the formulas of the paper."""

from __future__ import annotations

from math import inf, isclose

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from gradclinic.measure.noise_scale import gradient_products, noise_scale, samples_needed, steps_needed

SIZES = st.integers(1, 50)
COUNTS = st.integers(4, 12)
SEEDS = st.integers(0, 2**31)


def gradients(seed: int, count: int, weights: int = 5) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn(count, weights, dtype=torch.float64, generator=generator)
    return drawn + torch.randn(weights, dtype=torch.float64, generator=generator)


@given(SEEDS, COUNTS, SIZES)
def test_it_is_the_papers_estimate_by_two_batch_sizes(seed: int, count: int, size: int) -> None:
    each = gradients(seed, count)
    small, big = float(each.square().sum(1).mean()), float(each.mean(0).square().sum())
    b_small, b_big = size, count * size
    found = noise_scale(each @ each.T, size)
    assert isclose(found.signal, (b_big * big - b_small * small) / (b_big - b_small), rel_tol=1e-9, abs_tol=1e-12)
    assert isclose(found.noise, (small - big) / (1 / b_small - 1 / b_big), rel_tol=1e-9)


@given(SEEDS, COUNTS, SIZES)
def test_of_a_whole_round_the_signal_is_exact(seed: int, count: int, size: int) -> None:
    each = gradients(seed, count)
    found = noise_scale(each @ each.T, size, count * size)
    assert isclose(found.signal, float(each.mean(0).square().sum()), rel_tol=1e-9, abs_tol=1e-12)


@given(SEEDS, COUNTS, SIZES, st.floats(1e-6, 1e6))
def test_the_scale_of_the_loss_and_the_order_do_not_matter(seed: int, count: int, size: int, factor: float) -> None:
    each = gradients(seed, count)
    one, other = noise_scale(each @ each.T, size), noise_scale((each @ each.T).flip(0, 1) * factor**2, size)
    assert (one.value is None) == (other.value is None)
    assert isclose(one.low, other.low, rel_tol=1e-6, abs_tol=1e-9)
    assert one.high == other.high or isclose(one.high, other.high, rel_tol=1e-6)


@given(SEEDS, COUNTS, SIZES)
def test_the_estimate_lies_in_its_interval(seed: int, count: int, size: int) -> None:
    each = gradients(seed, count)
    found = noise_scale(each @ each.T, size)
    assert 0 <= found.low <= found.high
    if found.value is not None:
        assert found.low <= found.value <= found.high < inf


@given(st.floats(1e-3, 1e6), st.floats(1e-3, 1e6))
def test_steps_and_samples_trade_as_in_the_paper(scale: float, size: float) -> None:
    steps, samples = steps_needed(scale, size), samples_needed(scale, size)
    assert isclose((steps - 1) * (samples - 1), 1, rel_tol=1e-6)  # equation 2.11
    assert steps_needed(scale, 2 * size) < steps
    assert samples_needed(scale, 2 * size) > samples


def test_without_noise_a_step_by_one_sample_is_as_good_as_any() -> None:
    assert steps_needed(0.0, 1) == 1
    assert samples_needed(0.0, 1) == inf
    assert samples_needed(inf, 1) == 1


#: Linear regression y = w·x + σε with x and ε standard normal in d dimensions, at a distance |Δ| = 1 from the solution:
#: the gradient of ½(ŷ - y)² is (x·Δ - σε)x, so G = Δ and tr Σ = (d + 1)|Δ|² + dσ².
DIMENSIONS, NOISE, SIZE = 6, 1.5, 8
TRUE = DIMENSIONS + 1 + DIMENSIONS * NOISE**2


def linear(generator: np.random.Generator, count: int) -> tuple[nn.Module, list[tuple[Tensor, Tensor]]]:
    model = nn.Linear(DIMENSIONS, 1, bias=False, dtype=torch.float64)
    with torch.no_grad():
        model.weight.zero_()[0, 0] = 1.0  # the solution is 0
    x = torch.as_tensor(generator.standard_normal((count, SIZE, DIMENSIONS)))
    y = torch.as_tensor(NOISE * generator.standard_normal((count, SIZE, 1)))
    return model, list(zip(x, y, strict=True))


def half_square(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    loss: Tensor = (model(batch[0]) - batch[1]).square().mean() / 2
    return loss


def test_linear_regression_with_known_noise() -> None:
    generator = np.random.default_rng(0)
    many = []
    for _ in range(150):
        model, batches = linear(generator, 32)
        many.append(noise_scale(gradient_products(model, half_square, batches), SIZE))
    signals, noises = [each.signal for each in many], [each.noise for each in many]
    # Unbiased: the mean lies within four of its standard errors.
    assert abs(np.mean(signals) - 1) < 4 * np.std(signals) / np.sqrt(len(many))
    assert abs(np.mean(noises) - TRUE) < 4 * np.std(noises) / np.sqrt(len(many))
    covered = np.mean([each.low <= TRUE <= each.high for each in many])
    assert covered > 0.9  # 95% is meant; of 150, 90% is three standard errors below


def test_parts_of_a_finite_data_set_tell_the_noise_of_that_set() -> None:
    generator = np.random.default_rng(1)
    samples = generator.standard_normal((160, 5)) + 0.3
    mean = samples.mean(0)
    true = ((samples - mean) ** 2).sum() / 159 / (mean**2).sum()
    covered, known = 0, 0
    for _ in range(300):
        parts = samples[generator.permutation(160)[:96]].reshape(12, 8, 5).mean(1)
        found = noise_scale(torch.as_tensor(parts @ parts.T), 8, 160)
        covered += found.low <= true <= found.high
        known += found.value is not None
    assert covered / 300 > 0.9
    assert known / 300 > 0.9


def test_a_gradient_of_zero_cannot_be_told_and_says_how_large_the_scale_is_at_least() -> None:
    generator = torch.Generator().manual_seed(0)
    told = 0
    for _ in range(100):
        each = torch.randn(16, 200, dtype=torch.float64, generator=generator)
        found = noise_scale(each @ each.T, 4)
        told += found.value is not None
        if found.value is None:
            assert found.high == inf
            assert found.low > 4
    assert told <= 6  # 2.5% on the one side


def test_fewer_than_four_gradients_and_one_that_is_not_finite_are_refused() -> None:
    with pytest.raises(ValueError, match="4 at least"):
        noise_scale(torch.eye(3), 8)
    with pytest.raises(ValueError, match="not finite"):
        noise_scale(torch.full((5, 5), float("nan")), 8)


def test_products_are_those_of_the_gradients_and_nothing_changes() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 1), nn.Linear(2, 2))
    model[4].weight.requires_grad_(False)
    plain = nn.Sequential(model[0], nn.Tanh(), model[3])
    batches = list(torch.randn(5, 8, 3))

    def loss(model: nn.Module, batch: Tensor) -> Tensor:
        value: Tensor = model(batch).square().mean()
        return value

    expected = []
    for batch in batches:
        leaves = list(plain.parameters())
        expected.append(torch.cat([g.reshape(-1) for g in torch.autograd.grad(loss(plain, batch), leaves)]))
    stacked = torch.stack(expected).double()
    assert torch.allclose(gradient_products(plain, loss, batches), stacked @ stacked.T, rtol=1e-4)

    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.get_rng_state()
    first = gradient_products(model, lambda m, b: loss(m[:4], b), batches)
    assert torch.equal(first, gradient_products(model, lambda m, b: loss(m[:4], b), batches))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_dropout_is_noise_as_well_of_which_each_batch_has_its_own() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 20), nn.Dropout(0.5), nn.Linear(20, 1))
    same = [torch.ones(8, 6)] * 8
    found = noise_scale(gradient_products(model, lambda m, b: m(b).square().mean(), same), 8)
    assert found.noise > 0
    model.eval()
    still = noise_scale(gradient_products(model, lambda m, b: m(b).square().mean(), same), 8)
    assert still.noise == pytest.approx(0, abs=1e-6 * still.signal)
