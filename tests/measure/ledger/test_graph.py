"""Random small networks against their naive twin: retain_grad on every intermediate."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gradclinic.measure.ledger import open_ledger
from gradclinic.measure.ledger.graph import read_graph
from gradclinic.measure.ledger.kinds import op_name

from .chains import total_norm

#: Each step takes the value at ``left`` (and ``right``), counted back from the newest.
STEP = st.tuples(
    st.sampled_from(["mm", "tanh", "relu", "add", "mul", "view", "scale"]), st.integers(1, 4), st.integers(1, 4)
)


def build(steps):
    """All intermediates of a random graph over (3, 4) values, and its loss."""
    torch.manual_seed(len(steps))
    values = [torch.randn(3, 4) @ torch.randn(4, 4, requires_grad=True)]
    for kind, left, right in steps:
        a, b = values[-min(left, len(values))], values[-min(right, len(values))]
        values.append(
            {
                "mm": lambda a, b: a @ torch.randn(4, 4, requires_grad=True),
                "tanh": lambda a, b: a.tanh(),
                "relu": lambda a, b: a.relu(),
                "add": lambda a, b: a + b,
                "mul": lambda a, b: a * b,
                "view": lambda a, b: a.reshape(4, 3).reshape(3, 4),
                "scale": lambda a, b: a * 0.5,
            }[kind](a, b)
        )
    for value in values:
        value.retain_grad()
    return values, values[-1].square().sum()


@settings(max_examples=80, deadline=None)
@given(st.lists(STEP, min_size=1, max_size=12))
def test_against_retained_gradients(steps):
    values, loss = build(steps)
    ledger = open_ledger([loss])
    loss.backward()
    seen = ledger.close()
    assert not any("failed" in text for text in seen.unseen)
    by_sequence = {entry.sequence: entry for entry in seen.entries}
    for value in values:
        entry = by_sequence.get(value.grad_fn._sequence_nr())
        if value.grad is None:
            assert entry is None  # not on the way to the loss
            continue
        assert entry.grad_out == pytest.approx(total_norm(value.grad), rel=1e-5, abs=1e-30)
        if entry.forward_out is not None:
            assert entry.forward_out == pytest.approx(float(value.detach().square().mean().sqrt()), rel=1e-4, abs=1e-30)
    if seen.total is not None:
        assert seen.residue <= 1e-6
    spine = [line for line in seen.lines if line.join is not None]
    for line in spine:
        whole = by_sequence[line.sequence].grad_out ** 2
        assert sum(line.join) == pytest.approx(whole, rel=1e-4, abs=1e-12)
        along, cross, rest = line.join
        assert abs(cross) <= 2 * math.sqrt(along * rest) * (1 + 1e-3) + 1e-4 * whole


def test_names():
    assert op_name("AddmmBackward0") == "Addmm"
    assert op_name("torch::autograd::CopySlices") == "CopySlices"
    assert op_name("MyFunctionBackward") == "MyFunction"


def test_edges_of_attention_both_carry_the_signal():
    x = torch.randn(5, 4)
    q, k = x @ torch.randn(4, 4, requires_grad=True), x @ torch.randn(4, 4, requires_grad=True)
    graph = read_graph([(q @ k.t()).softmax(1).sum()])
    (product,) = [op for op in graph.ops if op.name == "Mm" and len(op.signal) == 2]
    assert product.level == 2


def test_a_custom_function_is_an_operation():
    class Double(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, gradient):
            return gradient * 2

    h = torch.randn(3, 4) @ torch.randn(4, 4, requires_grad=True)
    loss = Double.apply(h).sum()
    ledger = open_ledger([loss])
    loss.backward()
    (entry,) = [entry for entry in ledger.close().entries if entry.op == "Double"]
    assert entry.grad_in / entry.grad_out == pytest.approx(2.0)
    assert entry.shape == (3, 4)
