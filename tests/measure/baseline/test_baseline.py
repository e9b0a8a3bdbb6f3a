"""Baselines against closed forms: entropies, variances, and what least squares and calibration give."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from gradclinic.measure.baseline import Baseline, best_constant, measure_baseline
from gradclinic.measure.jacobian import split

Batch = tuple[Tensor, Tensor]


def baseline(model: nn.Module, score: Callable[[Tensor, Tensor], Tensor], *batches: Batch) -> Baseline:
    def loss(network: nn.Module, batch: Batch) -> Tensor:
        return score(network(batch[0]), batch[1])

    splits = [split(model, loss, batch) for batch in batches]
    return measure_baseline(splits, best_constant(splits))


def drawn(seed: int, rows: int = 40, classes: int = 3) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(rows, 5, generator=generator)
    return x, torch.randint(0, classes, (rows,), generator=generator)


def entropy(*batches: Batch) -> float:
    shares = torch.bincount(torch.cat([y for _, y in batches])).double() / sum(len(y) for _, y in batches)
    return float(torch.special.entr(shares).sum())


@given(seed=st.integers(0, 1000), size=st.floats(0.01, 30))
@settings(max_examples=15, deadline=None)
def test_the_best_constant_of_a_classifier_is_the_entropy_of_its_labels_whatever_the_outputs(
    seed: int, size: float
) -> None:
    torch.manual_seed(seed)
    model, batches = nn.Linear(5, 3), (drawn(seed), drawn(seed + 1))
    with torch.no_grad():
        model.weight.mul_(size)
    found = baseline(model, F.cross_entropy, *batches)
    assert found.constant == pytest.approx(entropy(*batches), rel=1e-3)
    with torch.no_grad():
        expected = sum(float(F.cross_entropy(model(x), y)) for x, y in batches) / 2
    assert found.loss == pytest.approx(expected, rel=1e-5)
    assert found.calibrated is not None
    assert found.calibrated <= found.constant + 1e-6


def test_probabilities_and_their_logarithms_stay_such() -> None:
    torch.manual_seed(0)
    batch = drawn(0)
    logits = nn.Linear(5, 3)
    expected = baseline(logits, F.cross_entropy, batch)
    for model, score in (
        (nn.Sequential(logits, nn.LogSoftmax(-1)), F.nll_loss),
        (nn.Sequential(logits, nn.Softmax(-1)), lambda p, y: F.nll_loss(p.log(), y)),
    ):
        found = baseline(model, score, batch)
        assert found.constant == pytest.approx(expected.constant, rel=1e-3)
        assert found.calibrated == pytest.approx(expected.calibrated, rel=1e-2)
    sure = (batch[1] == 0).float().unsqueeze(1)
    head = nn.Linear(5, 1)
    loose = baseline(head, F.binary_cross_entropy_with_logits, (batch[0], sure))
    tied = baseline(nn.Sequential(head, nn.Sigmoid()), F.binary_cross_entropy, (batch[0], sure))
    assert tied.constant == pytest.approx(loose.constant, rel=1e-3)
    assert tied.calibrated == pytest.approx(loose.calibrated, rel=1e-2)


def test_a_squared_error_against_variance_and_least_squares() -> None:
    torch.manual_seed(1)
    x, model = torch.randn(60, 5), nn.Linear(5, 1)
    y = 7 + 3 * x[:, :1] + torch.randn(60, 1)
    found = baseline(model, F.mse_loss, (x, y))
    assert found.constant == pytest.approx(float(y.var(correction=0)), rel=1e-4)
    with torch.no_grad():
        design = torch.cat([model(x), torch.ones(60, 1)], 1).double()
        best = torch.linalg.lstsq(design, y.double()).solution
    assert found.calibrated == pytest.approx(float((design @ best - y).square().mean()), rel=1e-4)


def test_an_absolute_error_has_the_median_as_its_constant() -> None:
    y = torch.tensor([[0.0], [0.5], [1.0], [2.0], [3.0], [4.0], [10.0], [100.0], [200.0]])
    found = baseline(nn.Linear(5, 1), F.l1_loss, (torch.randn(9, 5), y))
    assert found.constant == pytest.approx(float((y - 3).abs().mean()), rel=2e-2)


def test_sequences_and_images_have_one_constant_per_class() -> None:
    torch.manual_seed(2)
    tokens = torch.randint(0, 4, (6, 7))
    found = baseline(
        nn.Linear(5, 4), lambda o, t: F.cross_entropy(o.flatten(0, 1), t.flatten()), (torch.randn(6, 7, 5), tokens)
    )
    assert found.constant == pytest.approx(entropy((tokens, tokens.flatten())), rel=1e-3)
    pixels = torch.randint(0, 3, (4, 6, 6))
    seen = baseline(nn.Conv2d(2, 3, 1), F.cross_entropy, (torch.randn(4, 2, 6, 6), pixels))
    assert seen.constant == pytest.approx(entropy((pixels, pixels.flatten())), rel=1e-3)


def test_what_has_no_least_value_is_not_known() -> None:
    x, y = drawn(3)
    assert baseline(nn.Linear(5, 3), lambda o, _: o.mean(), (x, y)).constant is None
    model = nn.Linear(5, 3)
    with torch.no_grad():
        model.weight.fill_(math.nan)
    found = baseline(model, F.cross_entropy, (x, y))
    assert (found.loss, found.constant, found.calibrated) == (None, None, None)


def test_a_few_samples_say_nothing_of_a_constant() -> None:
    x, y = drawn(5, rows=7)
    assert baseline(nn.Linear(5, 3), F.cross_entropy, (x, y)).constant is None
    assert baseline(nn.Linear(5, 3), F.cross_entropy, (x, y), (x, y)).constant is not None


def test_outputs_that_are_all_alike_explain_nothing() -> None:
    model = nn.Linear(5, 3)
    nn.init.zeros_(model.weight)
    batch = drawn(4)
    found = baseline(model, F.cross_entropy, batch)
    assert found.calibrated == pytest.approx(found.constant)


def test_a_baseline_needs_a_batch() -> None:
    with pytest.raises(ValueError, match="no batch"):
        measure_baseline([], None)
