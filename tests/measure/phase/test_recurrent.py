"""Recurrences: torch's fused layers and its cells."""

from __future__ import annotations

from math import sqrt

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_sequence

from gradclinic.measure.phase.cells import CellWeights
from gradclinic.measure.phase.unroll import unroll
from tests.measure.phase.networks import WrittenOut, found, only


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def test_an_rnn_as_the_theory_has_it():
    stack = only(nn.RNN(32, 400, batch_first=True), torch.randn(16, 12, 32))
    assert (stack.kind, stack.depth, stack.activation) == ("recurrence", 12, "tanh")
    first = stack.layers[0]
    assert first.sigma_w == pytest.approx(sqrt(1 / 3), rel=0.01)
    # U(±1/√H) everywhere: I/(3 H) from the inputs of mean square 1, two biases of 1/(3 H).
    assert first.sigma_b == pytest.approx(sqrt((32 + 2) / (3 * 400)), rel=0.05)
    for layer in stack.layers:
        assert layer.q == pytest.approx(layer.q_theory, rel=0.2)
    measured = [layer.growth for layer in stack.layers[:-1]]
    assert measured[:-1] == pytest.approx([layer.growth_theory for layer in stack.layers[:-2]], rel=0.12)
    assert stack.theory is not None
    assert stack.theory.phase == "ordered"


def test_an_rnn_written_out_is_the_same():
    fused, written = nn.RNN(8, 200, batch_first=True), WrittenOut(8, 200)
    with torch.no_grad():
        written.inward.weight.copy_(fused.weight_ih_l0)
        written.inward.bias.copy_(fused.bias_ih_l0)
        written.state.weight.copy_(fused.weight_hh_l0)
        written.state.bias.copy_(fused.bias_hh_l0)
    x = torch.randn(16, 10, 8)
    one, other = only(fused, x), only(written, x)
    # Written out, the state of zeros belongs to no recurrence yet.
    assert [layer.q for layer in one.layers[1:9]] == pytest.approx([layer.q for layer in other.layers[:8]], rel=1e-5)


@pytest.mark.parametrize("kind", ["rnn_tanh", "rnn_relu", "lstm", "gru"])
def test_unrolled_is_what_torch_computes(kind):
    layer = {
        "rnn_tanh": nn.RNN(5, 7),
        "rnn_relu": nn.RNN(5, 7, nonlinearity="relu"),
        "lstm": nn.LSTM(5, 7),
        "gru": nn.GRU(5, 7),
    }[kind].double()
    x = torch.randn(6, 3, 5, dtype=torch.float64)
    biases = (layer.bias_ih_l0.detach(), layer.bias_hh_l0.detach())
    weights = CellWeights(layer.weight_ih_l0.detach(), layer.weight_hh_l0.detach(), biases, None)
    torch.testing.assert_close(torch.stack(unroll(kind, weights, list(x)).outputs), layer(x)[0].detach())


def test_a_projection_and_no_biases():
    layer = nn.LSTM(5, 7, proj_size=3, bias=False).double()
    x = torch.randn(6, 3, 5, dtype=torch.float64)
    weights = CellWeights(layer.weight_ih_l0.detach(), layer.weight_hh_l0.detach(), (), layer.weight_hr_l0.detach())
    torch.testing.assert_close(torch.stack(unroll("lstm", weights, list(x)).outputs), layer(x)[0].detach())
    assert only(layer, x).depth == 6


def test_growth_of_a_linear_recurrence():
    """h ← a h: δ falls by a for each step back, through ReLU where all is positive."""
    weights = CellWeights(torch.ones(1, 1).double(), torch.full((1, 1), 0.8).double(), (), None)
    result = unroll("rnn_relu", weights, [torch.ones(2, 1).double()] * 5)
    assert result.growth[:-1] == pytest.approx([0.8] * 4)
    assert result.growth[-1] is None
    assert result.q[:3] == pytest.approx([1, 1.8**2, 2.44**2])


def test_gated_ones_are_measured():
    for layer in (nn.LSTM(8, 32, batch_first=True), nn.GRU(8, 32, batch_first=True)):
        stack = only(layer, torch.randn(4, 10, 8))
        assert stack.theory is None
        assert "gated" in stack.words
        assert "multiplied by" in stack.words
        assert all(layer.growth for layer in stack.layers[:-1])


def test_growth_of_a_gated_recurrence_against_the_jacobians_of_its_steps():
    """δ of the state (h, c) from each step to the one before, with torch's own cell."""
    layer, x = nn.LSTM(5, 4).double(), torch.randn(6, 1, 5, dtype=torch.float64)
    cell = nn.LSTMCell(5, 4).double()
    cell.load_state_dict({name.removesuffix("_l0"): tensor for name, tensor in layer.state_dict().items()})
    biases = (layer.bias_ih_l0.detach(), layer.bias_hh_l0.detach())
    weights = CellWeights(layer.weight_ih_l0.detach(), layer.weight_hh_l0.detach(), biases, None)
    states, jacobians = [torch.zeros(8, dtype=torch.float64)], []
    for step in x:

        def following(state, step=step):
            return torch.cat(cell(step, (state[None, :4], state[None, 4:])), 1)[0]

        jacobians.append(torch.autograd.functional.jacobian(following, states[-1]))
        states.append(following(states[-1]).detach())
    random = torch.randn(1, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float32)[0].double()
    delta, norms = torch.cat([random, torch.zeros(4)]), []
    for jacobian in [*jacobians[:0:-1], None]:
        norms.append(float(delta.norm()))
        delta = jacobian.T @ delta if jacobian is not None else delta
    expected = [before / after for before, after in zip(norms[:0:-1], norms[-2::-1], strict=True)]
    assert unroll("lstm", weights, list(x)).growth[:-1] == pytest.approx(expected)


def test_a_forget_gate_that_is_open_keeps_the_gradient():
    layer = nn.LSTM(8, 32, batch_first=True)
    with torch.no_grad():
        layer.bias_hh_l0[32:64] = 20.0  # input, forget, cell, output
        layer.weight_hh_l0.zero_()
    steps = only(layer, torch.randn(4, 10, 8)).layers
    assert [one.growth for one in steps[:-2]] == pytest.approx([1.0] * 8, rel=1e-6)


def test_layers_and_directions():
    stacks = found(nn.RNN(4, 6, 2, bidirectional=True), torch.randn(5, 3, 4)).stacks
    assert [stack.notes[:2] for stack in stacks] == [
        ("layer 0", "its inputs are counted as a bias"),
        ("layer 0", "backwards"),
        ("layer 1", "its inputs are counted as a bias"),
        ("layer 1", "backwards"),
    ]
    assert {stack.layers[0].where for stack in stacks} == {""}


def test_the_second_layer_gets_both_directions_in_their_order():
    """Each layer's outputs, as torch has them, are what the next one is unrolled on."""
    both, single = nn.RNN(4, 6, 2, bidirectional=True), nn.RNN(12, 6)
    first = nn.RNN(4, 6, bidirectional=True)
    with torch.no_grad():
        for name, tensor in first.named_parameters():
            tensor.copy_(both.get_parameter(name))
        for name, tensor in single.named_parameters():
            tensor.copy_(both.get_parameter(name.replace("l0", "l1_reverse")))
    x = 3 * torch.arange(1.0, 6.0)[:, None, None] * torch.randn(5, 3, 4)
    backwards = found(both, x).stacks[3]
    expected = only(single, first(x)[0].detach().flip(0))
    assert [one.q for one in backwards.layers] == pytest.approx([one.q for one in expected.layers], rel=1e-5)
    assert backwards.q_input == pytest.approx(expected.q_input, rel=1e-5)


def test_packed_sequences():
    layer = nn.RNN(4, 6)
    packed = pack_sequence([torch.randn(7, 4), torch.randn(7, 4), torch.randn(3, 4)])

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = layer

        def forward(self, x):
            return self.layer(x)[0].data

    assert only(Model(), packed).depth == 7


def test_a_cell_called_step_by_step():
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.cell, self.head = nn.RNNCell(4, 32), nn.Linear(32, 2)

        def forward(self, x):
            h = None
            for step in x.unbind(1):
                h = self.cell(step, h)
            return self.head(h)

    phases = found(Model(), torch.randn(8, 9, 4), backward=True)
    assert [(stack.where, stack.depth) for stack in phases.stacks] == [("cell", 9)]
    assert phases.unrecognized[0].reason.startswith("its input is a recurrence")


def test_long_sequences_are_cut():
    stack = only(nn.RNN(2, 4, batch_first=True), torch.randn(2, 300, 2))
    assert (stack.depth, len(stack.layers)) == (300, 256)
    assert "first 256 of 300" in stack.notes[-1]
