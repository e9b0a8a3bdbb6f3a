"""A round of batches as one."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gradclinic.task import Whole, parts_of, samples_of

X = torch.randn(21, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def loss(model: nn.Module, batch: Tensor) -> Tensor:
    value: Tensor = (model(batch) - batch.sum(1, keepdim=True)).square().mean()
    return value


def test_its_gradient_is_that_of_all_samples_at_once_though_batches_differ_in_size() -> None:
    torch.manual_seed(0)
    model = nn.Linear(3, 1, dtype=torch.float64)
    whole = Whole(lambda: X.split(8), 21)
    said = whole.gradient(loss, model)
    found = [p.grad.clone() for p in model.parameters() if p.grad is not None]
    direct = loss(model, X)
    assert float(said) == pytest.approx(float(direct.detach()))
    for ours, theirs in zip(found, torch.autograd.grad(direct, list(model.parameters())), strict=True):
        assert torch.allclose(ours, theirs)


def test_it_goes_through_the_round_anew_each_time() -> None:
    calls = 0

    def batches() -> Any:
        nonlocal calls
        calls += 1
        return iter(X.split(7))

    whole = Whole(batches, 21)
    assert [len(part) for part in parts_of(whole)] == [7, 7, 7]
    whole.gradient(loss, nn.Linear(3, 1, dtype=torch.float64))
    assert calls == 2
    assert list(parts_of("a batch")) == ["a batch"]


@pytest.mark.parametrize(
    ("batch", "count"),
    [(X, 21), ((X[:4], X[:9]), 4), ({"step": torch.tensor(3), "x": [X[:5]]}, 5), ("text", 1), (3, 1)],
)
def test_samples_are_the_length_of_the_first_tensor_that_has_one(batch: Any, count: int) -> None:
    assert samples_of(batch) == count
