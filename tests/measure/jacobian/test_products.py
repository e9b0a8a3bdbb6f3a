from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from gradclinic.measure.jacobian import Jacobian, NoForwardMode, NotConnected, input_jacobian, parameter_jacobian
from gradclinic.measure.jacobian.spectrum import dense
from tests.measure.jacobian.networks import (
    CASES,
    Attention,
    Checkpointed,
    Detaching,
    Many,
    Old,
    Once,
    Recurrent,
    case,
    flat_output,
    mlp,
    reference,
    stateful,
    unchanged,
)

WAYS = [("forward",), ("double backward",)]


def close(found, wanted, tolerance=1e-10):
    assert found.shape == wanted.shape
    assert float((found - wanted).abs().max()) <= tolerance * float(wanted.abs().max())


def sized(rows, columns, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(n, dtype=torch.float64, generator=generator) for n in (rows, columns)]


# -- against a dense reference ---------------------------------------------------------------------------


@pytest.mark.parametrize("modes", WAYS)
@pytest.mark.parametrize("name", CASES)
def test_by_the_inputs(name, modes):
    model, x = case(name)
    wanted = reference(model, x)
    with unchanged(model):
        jacobian = input_jacobian(model, (x,), modes=modes)
        u, v = sized(jacobian.rows, jacobian.columns)
        close(jacobian.adjoint(u), wanted.T @ u)
        close(jacobian.times(v), wanted @ v)
    assert jacobian.mode.startswith(modes[0])


@pytest.mark.parametrize("modes", WAYS)
@pytest.mark.parametrize("name", [name for name in CASES if name != "relu in place"])
def test_by_the_parameters(name, modes):
    model, x = case(name)
    wanted = reference(model, x, list(model.parameters()))
    with unchanged(model):
        jacobian = parameter_jacobian(model, (x,), modes=modes)
        u, v = sized(jacobian.rows, jacobian.columns)
        close(jacobian.adjoint(u), wanted.T @ u)
        close(jacobian.times(v), wanted @ v)


def test_against_finite_differences():
    model, x = case("mlp")
    jacobian = input_jacobian(model, (x,))
    v = sized(1, x.numel())[1]
    step = 1e-6 * v.reshape(x.shape)
    close(jacobian.times(v), (flat_output(model, x + step) - flat_output(model, x - step)).detach() / 2e-6, 1e-8)


def test_the_matrix_by_rows_and_by_columns():
    model, x = case("mlp")
    jacobian = input_jacobian(model, (x,))
    close(dense(jacobian, by_rows=True), reference(model, x))
    close(dense(jacobian, by_rows=False), reference(model, x))


def test_single_and_half_precision_are_met_with_float64_vectors():
    for dtype, tolerance in ((torch.float32, 1e-5), (torch.bfloat16, 0.05)):
        model, x = case("mlp")
        jacobian = input_jacobian(model.to(dtype), (x.to(dtype),))
        u, v = sized(jacobian.rows, jacobian.columns)
        assert jacobian.times(v).dtype == jacobian.adjoint(u).dtype == torch.float64
        close(jacobian.times(v), reference(model.double(), x.to(dtype).double()) @ v, tolerance)


@settings(max_examples=20)
@given(st.lists(st.integers(1, 6), min_size=2, max_size=4), st.integers(1, 3), st.integers(0, 9))
def test_the_two_products_are_adjoint_and_linear(widths, batch, seed):
    torch.manual_seed(seed)
    jacobian = input_jacobian(mlp(*widths).double(), (torch.randn(batch, widths[0]).double(),))
    u, v = sized(jacobian.rows, jacobian.columns, seed)
    assert float(jacobian.times(v) @ u) == pytest.approx(float(v @ jacobian.adjoint(u)), rel=1e-9, abs=1e-12)
    close(jacobian.times(-3 * v), -3 * jacobian.times(v), 1e-12)


# -- which way -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("build", "x", "mode"),
    [
        (lambda: mlp(4, 3), torch.randn(2, 4), "forward"),
        (Recurrent, torch.randn(2, 4, 3), "forward, plain kernels"),
        (Attention, torch.randn(2, 5, 4), "forward, plain kernels"),
        (lambda: Old.apply, torch.randn(2, 4), "double backward"),
    ],
)
def test_forward_mode_unless_a_part_has_none(build, x, mode):
    jacobian = input_jacobian(build(), (x,))
    assert jacobian.mode == ""
    jacobian.times(torch.ones(jacobian.columns, dtype=torch.float64))
    assert jacobian.mode == mode


def test_plain_kernels_give_what_an_unfused_layer_gives():
    fused, x = case("attention")
    unfused = Attention(fused=False).double()
    unfused.load_state_dict(fused.state_dict())
    v = sized(1, x.numel())[1]
    close(input_jacobian(fused, (x,)).times(v), input_jacobian(unfused, (x,)).times(v))


@pytest.mark.parametrize("function", [Once, Detaching])
@pytest.mark.parametrize("with_shortcut", [False, True])
def test_where_no_way_works_the_adjoint_still_does(function, with_shortcut):
    x = torch.randn(2, 4, dtype=torch.float64)
    jacobian = Jacobian(lambda x: function.apply(x) + x * with_shortcut, x)
    u = sized(8, 1)[0]
    close(jacobian.adjoint(u), u * (1 - x.tanh() ** 2).reshape(-1) + u * with_shortcut)
    with pytest.raises(NoForwardMode, match=r"forward: RuntimeError.*double backward"):
        jacobian.times(u)


def test_what_no_grad_hides_is_a_constant():  # forward mode sees it
    def normalised(x):
        with torch.no_grad():
            scale = x.norm()
        return x * scale

    x = torch.randn(5, dtype=torch.float64)
    jacobian = Jacobian(normalised, x)
    close(jacobian.times(torch.ones(5, dtype=torch.float64)), x.norm().expand(5))
    assert jacobian.mode == "double backward"


def test_a_vanished_derivative_is_zero_in_forward_mode():
    jacobian = Jacobian(lambda x: torch.relu(x) - 0 * x, -torch.ones(3, dtype=torch.float64))
    assert not jacobian.times(torch.ones(3, dtype=torch.float64)).any()
    assert jacobian.mode == "forward"


def test_an_unknown_way_is_refused():
    with pytest.raises(NoForwardMode, match="'sideways' is not one of"):
        Jacobian(torch.tanh, torch.ones(2), modes=("sideways",)).times(torch.ones(2, dtype=torch.float64))


# -- inputs and outputs ------------------------------------------------------------------------------------


def test_several_inputs_and_one_given_twice():
    x, y = torch.randn(3, dtype=torch.float64), torch.randn(3, dtype=torch.float64)
    jacobian = input_jacobian(lambda a, b, c, power: a * b * c**power, (x, y, x), {"power": 2})
    assert jacobian.columns == 6
    wanted = torch.cat([torch.diag(3 * x**2 * y), torch.diag(x**3)], 1)
    close(dense(jacobian, by_rows=True), wanted)


def test_named_inputs_vary_only_where_no_other_does():
    x = torch.randn(2, 4)
    assert input_jacobian(lambda x, mask: x + mask, (x,), {"mask": x}).columns == 8
    assert input_jacobian(lambda *, x: x * x, (), {"x": x}).columns == 8


def test_one_sample_alone():
    model, x = case("batch norm, training")
    full = reference(model, x).reshape(4, 3, 4, 72)
    jacobian = input_jacobian(model, (x,), sample=2)
    close(dense(jacobian, by_rows=True), full[2, :, 2])
    for wrong in (4, -1):
        with pytest.raises(ValueError, match="no sample"):
            input_jacobian(model, (x,), sample=wrong)


def test_integer_outputs_have_no_rows():
    model, x = case("containers")
    assert isinstance(model, Many)
    assert input_jacobian(model, (x,)).rows == 2 * (3 + 3 + 2 + 2)


@pytest.mark.parametrize(
    "function", [lambda x: x.detach(), lambda x: x.argmax(), lambda x: torch.ones(3), lambda x: "text"]
)
def test_outputs_that_do_not_depend(function):
    with pytest.raises(NotConnected, match="depends on the 1 inputs"):
        input_jacobian(function, (torch.randn(3),))


def test_nothing_to_differentiate_by():
    embedding = nn.Embedding(5, 3)
    with pytest.raises(NotConnected, match="no input is a floating tensor"):
        input_jacobian(embedding, (torch.tensor([1, 2]),))
    assert parameter_jacobian(embedding, (torch.tensor([1, 2]),)).columns == 15
    with pytest.raises(NotConnected, match="depends on the 0 inputs"):
        parameter_jacobian(embedding.requires_grad_(False), (torch.tensor([1, 2]),))


def test_what_the_function_raises_is_not_hidden():
    with pytest.raises(KeyError, match="mine"):
        Jacobian(lambda x: {}["mine"], torch.ones(2))


def test_frozen_and_sparse_parameters():
    model = nn.Sequential(nn.Embedding(5, 3, sparse=True), nn.Linear(3, 2)).double()
    tokens = torch.tensor([1, 3])
    model[1].bias.requires_grad_(False)
    jacobian = parameter_jacobian(model, (tokens,))
    assert jacobian.columns == 15 + 6
    u, v = sized(4, 21)
    weight, matrix = v[:15].reshape(5, 3), v[15:].reshape(2, 3)
    images = weight[tokens] @ model[1].weight.T + model[0](tokens) @ matrix.T
    close(jacobian.times(v), images.detach().reshape(-1))
    assert float(jacobian.times(v) @ u) == pytest.approx(float(v @ jacobian.adjoint(u)))


# -- state -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("modes", WAYS)
@pytest.mark.parametrize("grad", [True, False])
def test_nothing_of_the_users_changes(modes, grad):
    model, x = stateful(), torch.randn(5, 4)
    kept = x.clone()
    with torch.set_grad_enabled(grad), unchanged(model):
        for jacobian in (input_jacobian(model, (x,), modes=modes), parameter_jacobian(model, (x,), modes=modes)):
            u, v = sized(jacobian.rows, jacobian.columns)
            assert torch.equal(jacobian.times(v), jacobian.times(v))
            assert torch.equal(jacobian.adjoint(u), jacobian.adjoint(u))
            assert float(jacobian.times(v) @ u) == pytest.approx(float(v @ jacobian.adjoint(u)), rel=1e-4)
    assert torch.equal(x, kept)


def test_nothing_changes_where_the_model_fails():
    model, x = stateful(), torch.randn(5, 4)
    model.append(nn.Linear(7, 7))
    with unchanged(model), pytest.raises(RuntimeError, match="shapes"):
        input_jacobian(model, (x,))


def test_what_the_user_draws_in_between_changes_nothing():
    jacobian = input_jacobian(stateful(), (torch.randn(5, 4),), modes=("forward",))
    v = sized(1, 20)[1]
    first = jacobian.times(v)
    torch.rand(3), random.random(), np.random.rand()
    assert torch.equal(jacobian.times(v), first)


def test_a_layer_that_writes_to_its_own_weights():
    class Bounded(nn.Linear):
        def forward(self, x):
            with torch.no_grad():
                self.weight.clamp_(-0.1, 0.1)
            return super().forward(x)

    model, x = Bounded(4, 3).double(), torch.randn(2, 4).double()
    with unchanged(model):
        found = dense(input_jacobian(model, (x,)), by_rows=True)
    close(found, torch.kron(torch.eye(2).double(), model.weight.detach().clamp(-0.1, 0.1)))


def test_another_seed_is_another_mask():
    model, x = nn.Dropout(0.5), torch.ones(64)
    first, again, other = (input_jacobian(model, (x,), seed=seed).value for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_recomputed_activations_leave_the_statistics_alone():
    model, x = Checkpointed().double(), torch.randn(5, 4).double()
    wanted = reference(model.inner, x)
    with unchanged(model):
        jacobian = input_jacobian(model, (x,))
        u = sized(jacobian.rows, 1)[0]
        close(jacobian.adjoint(u), wanted.T @ u)
