"""Norms over the finite elements, held against float64 arithmetic in plain Python."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gradclinic.measure.ledger.norms import Norms

NUMBERS = st.lists(st.floats(width=32, allow_subnormal=False), max_size=40)


def settled(tensor):
    norms = Norms()
    ticket = norms.add(tensor)
    norms.settle()
    return norms.value(ticket), norms.bad(ticket)


@settings(max_examples=150, deadline=None)
@given(NUMBERS)
def test_any_float32_numbers(numbers):
    finite = [x for x in numbers if math.isfinite(x)]
    value, bad = settled(torch.tensor(numbers, dtype=torch.float32))
    assert bad == len(numbers) - len(finite)
    assert value == pytest.approx(math.hypot(*finite), rel=1e-5)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("scale", [1.0, 6e4, 1e-6])
def test_every_dtype(dtype, scale):
    tensor = torch.full((3, 3), scale).to(dtype)
    assert settled(tensor)[0] == pytest.approx(3 * float(tensor[0, 0]), rel=1e-3)


@pytest.mark.parametrize("value", [1e300, 1e-300])
def test_float64_beyond_the_range_of_squares(value):
    assert settled(torch.full((4,), value, dtype=torch.float64))[0] == pytest.approx(2 * value)


def test_complex_sparse_empty_and_integer():
    assert settled(torch.tensor([3 + 4j, 0]))[0] == pytest.approx(5.0)
    sparse = torch.sparse_coo_tensor([[0, 0, 2]], [1.0, 2.0, 4.0], (5,), check_invariants=True)
    assert settled(sparse)[0] == pytest.approx(5.0)  # 1 and 2 share a place
    assert settled(torch.empty(0, 3)) == (0.0, 0)
    assert settled(torch.arange(4)) == (0.0, 0)
    assert settled(torch.ones(4, 4).t()[::2])[0] == pytest.approx(math.sqrt(8))
