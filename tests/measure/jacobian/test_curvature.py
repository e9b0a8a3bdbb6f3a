from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from gradclinic.measure.jacobian import (
    Jacobian,
    NoForwardMode,
    NotFinite,
    Split,
    gauss_newton,
    gram_bound,
    hessian_product,
    largest,
    largest_curvature,
    largest_eigenvalues,
    split,
)
from tests.measure.jacobian.losses import LOSSES, close, cross_entropy, data, matrix_of, root_of, squares
from tests.measure.jacobian.networks import Checkpointed, Many, Once, mlp, reference, stateful, unchanged


def dense_gauss_newton(model, loss_of_output, x):
    """Jᵀ H J, from autograd's own dense ones."""
    J = reference(model, x, list(model.parameters()))
    output = model(x).detach()
    H = torch.autograd.functional.hessian(lambda flat: loss_of_output(flat.reshape(output.shape)), output.reshape(-1))
    return J.T @ H @ J


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("modes", [("forward",), ("double backward",)])
@pytest.mark.parametrize("preconditioned", [False, True])
def test_gauss_newton_against_the_dense_one(name, modes, preconditioned):
    model, loss, batch = LOSSES[name]()
    model = model.double()
    found = split(model, loss, batch)
    preconditioner = [torch.rand_like(p) for p in found.parameters] if preconditioned else None
    wanted = dense_gauss_newton(model, lambda output: loss(lambda x: output, batch), batch[0])
    if preconditioner is not None:
        wanted = root_of(preconditioner) @ wanted @ root_of(preconditioner)
    with unchanged(model):
        operator = gauss_newton(found, preconditioner, modes=modes)
        v = torch.randn(operator.size, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        close(operator.times(v), wanted @ v)
        largest = largest_curvature(found, preconditioner, tolerance=1e-6, modes=modes)
    assert largest.how == "lanczos"
    assert largest.converged
    assert largest.value == pytest.approx(float(torch.linalg.eigvalsh(wanted)[-1]), rel=1e-5)


def test_a_weight_penalty_is_in_the_hessian_and_not_in_gauss_newton():
    model, batch = mlp(4, 3).double(), data(6, 4)
    plain = split(model, cross_entropy, batch)
    more = split(model, lambda m, b: cross_entropy(m, b) + sum((p**2).sum() for p in m.parameters()), batch)
    close(matrix_of(gauss_newton(more)), matrix_of(gauss_newton(plain)))
    eye = torch.eye(15, dtype=torch.float64)
    close(
        matrix_of(hessian_product(more.loss_at, more.parameters)),
        matrix_of(hessian_product(plain.loss_at, plain.parameters)) + 2 * eye,
    )


def test_in_a_linear_model_the_two_agree_and_several_outputs_count():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(4, 3), nn.Linear(4, 2)

        def forward(self, x):
            return self.a(x), {"b": self.b(x)}

    def loss(model, x):
        first, rest = model(x)
        return first.logsumexp(-1).sum() + first[:, 0].exp().dot(rest["b"][:, 0]) + rest["b"].square().sum()

    found = split(Two().double(), loss, torch.randn(5, 4).double())
    close(matrix_of(gauss_newton(found)), matrix_of(hessian_product(found.loss_at, found.parameters)))


def test_nested_containers_and_several_calls():
    def loss(model, x):
        output = model(x)
        again = model(output["pair"].first.mean(-1, keepdim=True).expand(2, 4))
        return Many.flat(output).square().sum() + Many.flat(again).square().sum()

    model, x = Many().double(), torch.randn(2, 4).double()
    found = split(model, loss, x)
    J = torch.autograd.functional.jacobian(lambda *point: found.outputs(list(point)), found.parameters)
    J = torch.cat([part.reshape(40, -1) for part in J], 1)
    close(matrix_of(gauss_newton(found)), 2 * J.T @ J)


def test_a_pair_of_callables_built_by_hand():
    x, y = torch.randn(7, 3).double(), torch.randn(7).double()
    by_hand = Split(
        lambda p: (x @ p[0]).tanh(), lambda output: (output - y).square().sum() / 2, [torch.ones(3).double()]
    )
    slope = 1 - (x.sum(1)).tanh() ** 2
    J = slope[:, None] * x
    close(matrix_of(gauss_newton(by_hand)), J.T @ J)


@settings(max_examples=5)
@given(st.integers(0, 20), st.floats(0.01, 100))
def test_scale_equivariance(seed, factor):
    torch.manual_seed(seed)
    model, batch = mlp(3, 4, 2).double(), data(4, 3, classes=2)
    found = split(model, cross_entropy, batch)
    louder = split(model, lambda m, b: factor * cross_entropy(m, b), batch)
    even = [torch.full_like(p, factor) for p in found.parameters]
    one = largest_curvature(found, tolerance=1e-8).value
    assert largest_curvature(louder, tolerance=1e-8).value == pytest.approx(factor * one)
    assert largest_curvature(found, even, tolerance=1e-8).value == pytest.approx(factor * one)
    assert gram_bound(louder, even)[0] == pytest.approx(factor**2 * gram_bound(found)[0])


@pytest.mark.parametrize("preconditioned", [False, True])
def test_gradient_descent_is_stable_up_to_two_over_it(preconditioned):
    x, y = torch.randn(20, 4).double() * torch.tensor([3.0, 1, 1, 0.1]).double(), torch.randn(20, 2).double()
    model = nn.Linear(4, 2).double()
    found = split(model, squares, (x, y))
    P = [torch.rand_like(p) + 0.1 for p in found.parameters] if preconditioned else None
    limit = 2 / largest_curvature(found, P, tolerance=1e-8).value

    def after(rate, steps=200):
        point = [p.clone().requires_grad_() for p in found.parameters]
        for _ in range(steps):
            slopes = torch.autograd.grad(found.loss_at(point), point)
            scale = P if P is not None else [torch.ones_like(p) for p in point]
            point = [(p - rate * s * g).detach().requires_grad_() for p, s, g in zip(point, scale, slopes, strict=True)]
        return float(found.loss_at(point).detach())

    start = float(found.loss_at(found.parameters))
    assert after(0.95 * limit) < start < 100 * start < after(1.05 * limit)


# -- losses and functions that have less ---------------------------------------------------------------------


def test_a_loss_linear_in_the_outputs_has_no_curvature():
    found = split(mlp(4, 3).double(), lambda model, x: model(x).sum(), torch.randn(5, 4).double())
    assert largest_curvature(found).value == 0
    assert gram_bound(found)[0] == 0
    linear = hessian_product(found.loss_at, found.parameters)
    assert not linear.times(torch.ones(15).double()).any()


def test_what_is_not_finite_is_named():
    model = mlp(4, 3).double()
    found = split(model, lambda m, x: m(x).square().sum() * float("inf"), torch.randn(5, 4).double())
    with pytest.raises(NotFinite):
        largest_curvature(found)
    with pytest.raises(NotFinite):
        gram_bound(found)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([torch.ones(3, 4)], "shapes"),
        ([torch.ones(3, 4), -torch.ones(3)], "negative"),
        ([torch.ones(3, 4), torch.full((3,), float("nan"))], "undefined"),
    ],
)
def test_a_preconditioner_that_does_not_fit(wrong, message):
    found = split(mlp(4, 3), cross_entropy, (torch.randn(5, 4), torch.randint(3, (5,))))
    for function in (gauss_newton, largest_curvature, gram_bound):
        with pytest.raises(ValueError, match=message):
            function(found, wrong)


# -- without J v -----------------------------------------------------------------------------------------------


class Hard(nn.Module):
    def forward(self, x):
        return Once.apply(x)


def test_the_fallback_bounds_what_lanczos_finds():
    batch = data(6, 4)
    easy = mlp(4, 5, 3).double()
    hard = nn.Sequential(easy[0], Hard(), easy[2])
    found = split(hard, cross_entropy, batch)
    with pytest.raises(NoForwardMode):
        gauss_newton(found).times(torch.ones(43).double())
    with unchanged(hard):
        bound = largest_curvature(found)
    true = largest_curvature(split(easy, cross_entropy, batch), tolerance=1e-8).value
    assert bound.how == "gram"
    assert not bound.converged
    assert bound.bound == float("inf")
    assert bound.products == 18
    assert 0.9 * true < bound.value <= true * (1 + 1e-9)


@pytest.mark.parametrize("preconditioned", [False, True])
def test_directions_that_span_the_outputs_make_the_bound_exact(preconditioned):
    model, batch = mlp(4, 5, 3).double(), data(2, 4)
    found = split(model, cross_entropy, batch)
    P = [torch.rand_like(p) for p in found.parameters] if preconditioned else None
    spanning = Split(found.outputs, found.loss_of, found.parameters)
    true = largest_curvature(found, P, tolerance=1e-10).value
    assert gram_bound(spanning, P, directions=12)[0] == pytest.approx(true)


@settings(max_examples=10)
@given(st.integers(1, 8), st.integers(0, 20), st.booleans())
def test_the_gram_bound_is_one(directions, seed, structured):
    torch.manual_seed(seed)
    model, batch = mlp(3, 4, 3).double(), data(5, 3)
    found = split(model, cross_entropy, batch)
    if not structured:
        found = Split(found.outputs, found.loss_of, found.parameters)
    value, _ = gram_bound(found, directions=directions, generator=torch.Generator().manual_seed(seed))
    assert 0 < value <= largest_curvature(found, tolerance=1e-9).value * (1 + 1e-9)


def test_directions_shared_by_the_samples_find_more():
    model, batch = mlp(16, 32, 10).double(), data(32, 16, classes=10)
    found = split(model, cross_entropy, batch)
    true = largest_curvature(found).value
    alone = Split(found.outputs, found.loss_of, found.parameters)
    assert gram_bound(found)[0] > 0.8 * true
    assert gram_bound(alone)[0] < 0.5 * true


def test_directions_along_the_last_dimension_span_the_classes():
    class Everywhere(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(3, 4, bias=False).double()

        def forward(self, x):
            return self.inner(x)

    weight = torch.tensor([1.0, 2.0, 3.0, 4.0]).double()
    found = split(Everywhere(), lambda model, x: (weight * model(x) ** 2).sum(), torch.ones(2, 3, 3).double())
    # The same input at all 6 places: 2 · 4 · 6 · |x|², along the last class.  Two directions, and two averages.
    assert gram_bound(found, directions=4)[0] == pytest.approx(2 * 4 * 6 * 3)


@pytest.mark.parametrize("shape", [(), (5,), (5, 3), (5, 3, 2), (2, 3, 2, 2)])
def test_outputs_of_any_dimension(shape):
    size = torch.Size(shape).numel()

    def loss(model, x):
        return model(x).reshape(shape).square().sum()

    class Shaped(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(4, size).double()

        def forward(self, x):
            return self.inner(x).reshape(shape)

    model = Shaped()
    found = split(model, loss, torch.randn(4).double())
    value, _ = gram_bound(found)
    # J Jᵀ is (|x|² + 1) times the identity here, so that every direction gives the largest eigenvalue.
    assert value == pytest.approx(largest_curvature(found).value)


# -- state -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("modes", [("forward",), ("double backward",)])
def test_nothing_of_the_users_changes(modes):
    model, batch = stateful(), (torch.randn(5, 4), torch.randint(3, (5,)))
    with unchanged(model), torch.no_grad():
        found = split(model, cross_entropy, batch)
        first, again = (largest_curvature(found, modes=modes) for _ in range(2))
        assert first == again
        gram_bound(found)
        largest_eigenvalues(hessian_product(found.loss_at, found.parameters, within=found.within), maximum=3)
    assert first.value > 0


def test_recomputed_activations_leave_the_statistics_alone():
    batch = data(6, 4, classes=4)
    model = Checkpointed().double()
    with unchanged(model):
        found = split(model, cross_entropy, batch)
        value = largest_curvature(found, tolerance=1e-6).value
        hessian = hessian_product(found.loss_at, found.parameters, within=found.within)
        largest = largest_eigenvalues(hessian, tolerance=1e-6).values[0]
    plain = split(model.inner, cross_entropy, batch)
    assert value == pytest.approx(largest_curvature(plain, tolerance=1e-6).value, rel=1e-5)
    whole = hessian_product(plain.loss_at, plain.parameters)
    assert largest == pytest.approx(largest_eigenvalues(whole, tolerance=1e-6).values[0], rel=1e-5)


def test_the_jacobian_of_a_split():
    model, batch = stateful(), (torch.randn(5, 4), torch.randint(3, (5,)))
    found = split(model, cross_entropy, batch)
    jacobian = Jacobian(found.outputs, found.parameters, within=found.within)
    u, v = torch.randn(15).double(), torch.randn(jacobian.columns).double()
    assert float(jacobian.times(v) @ u) == pytest.approx(float(v @ jacobian.adjoint(u)), rel=1e-4)


@pytest.mark.parametrize("large", [1 << 20, 0], ids=["float64", "float32"])
def test_the_lean_one_finds_the_same(large, monkeypatch):
    monkeypatch.setattr(largest, "LARGE", large)
    model, loss, batch = LOSSES[next(iter(LOSSES))]()
    found = split(model.double(), loss, batch)
    preconditioner = [torch.rand_like(p) for p in found.parameters]
    whole = largest_curvature(found, preconditioner)
    lean = largest_curvature(found, preconditioner, lean=True)
    assert lean.how == "lanczos"
    assert lean.value == pytest.approx(whole.value, rel=1e-2)
