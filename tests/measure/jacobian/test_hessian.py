from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call

from gradclinic.measure.jacobian import (
    NoSecondDerivative,
    NotConnected,
    Split,
    hessian_product,
    largest_curvature,
    largest_eigenvalues,
    split,
)
from gradclinic.measure.jacobian.flat import Layout
from tests.measure.jacobian.losses import LOSSES, close, cross_entropy, data, matrix_of, root_of
from tests.measure.jacobian.networks import Attention, Detaching, Once, mlp, unchanged


def dense(model, loss_of_output, x):
    """The Hessian by the parameters, from autograd's own dense one."""
    names, shapes = zip(*((name, parameter.shape) for name, parameter in model.named_parameters()), strict=True)
    flat = torch.cat([parameter.detach().reshape(-1) for parameter in model.parameters()])

    def whole(point):
        parts = point.split([shape.numel() for shape in shapes])
        named = {name: part.reshape(shape) for name, part, shape in zip(names, parts, shapes, strict=True)}
        return loss_of_output(functional_call(model, named, (x,)))

    return torch.autograd.functional.hessian(whole, flat)


@pytest.mark.parametrize("name", LOSSES)
def test_against_the_dense_one(name):
    model, loss, batch = LOSSES[name]()
    model = model.double()
    twice = model
    if name == "attention":  # the dense one needs a kernel that can be differentiated twice
        twice = Attention(fused=False).double()
        twice.load_state_dict(model.state_dict())
    wanted = dense(twice, lambda output: loss(lambda x: output, batch), batch[0])
    found = split(model, loss, batch)
    with unchanged(model):
        operator = hessian_product(found.loss_at, found.parameters, within=found.within)
        v = torch.randn(operator.size, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        close(operator.times(v), wanted @ v)
    preconditioner = [torch.rand_like(p) for p in found.parameters]
    root = root_of(preconditioner)
    close(hessian_product(found.loss_at, found.parameters, preconditioner).times(v), root @ wanted @ root @ v)


def test_of_a_quadratic_by_hand():
    A = torch.tensor([[2.0, 1.0], [1.0, -3.0]]).double()
    operator = hessian_product(lambda point: point[0] @ A @ point[0] / 2 + point[1].sum(), [torch.ones(2).double()] * 2)
    wanted = torch.zeros(4, 4).double()
    wanted[:2, :2] = A
    close(matrix_of(operator), wanted)


@pytest.mark.parametrize(
    "loss",
    [
        lambda output, y: output.sum(),
        lambda output, y: (output - y).abs().mean(),
        lambda output, y: output.relu().sum(),
    ],
)
def test_piecewise_linear_losses_have_none(loss):
    x, y = torch.randn(20000, 4).double(), torch.randn(20000, 3).double()
    found = split(mlp(4, 3).double(), lambda model, x: loss(model(x), y), x)
    assert largest_curvature(found).value == 0


@pytest.mark.parametrize("scale", [5, 15, 17, 20, 50, 1e4])
def test_a_saturated_softmax_is_flat_and_not_wrong(scale):
    # In float32, 1 - p holds few digits at 15 and none from 17 on.
    x = torch.eye(4).repeat(3, 1)
    model = nn.Linear(4, 4, bias=False)
    model.weight.data = scale * torch.eye(4)
    found = split(model, lambda model, x: cross_entropy(model, (x, x.argmax(1))), x)
    flat = largest_curvature(found).value
    assert flat == pytest.approx(largest_curvature(exactly(found), tolerance=1e-6).value, abs=1e-6, rel=0.1)
    assert (
        abs(largest_eigenvalues(hessian_product(found.loss_at, found.parameters)).values[0] - flat) < 1e-6 + flat / 10
    )


def exactly(found):
    """The same in float64."""
    x = torch.eye(4).double().repeat(3, 1)
    (weight,) = found.parameters
    return Split(
        lambda point: (x @ point[0].T).reshape(-1),
        lambda flat: F.cross_entropy(flat.reshape(12, 4), x.argmax(1)),
        [weight.double()],
    )


@pytest.mark.parametrize(
    ("seed", "act", "depth", "scale", "gain"),
    [
        (25, nn.GELU, 2, 30, 1e3),
        (111, nn.Sigmoid, 4, 1, 50),
        (123, nn.Sigmoid, 4, 1, 1e3),
        (0, nn.ReLU, 1, 1e-3, 1),
    ],
)
def test_single_precision_raises_no_false_alarm(seed, act, depth, scale, gain):
    torch.manual_seed(seed)
    model = nn.Sequential(*(part for _ in range(depth) for part in (nn.Linear(20, 20), act())), nn.Linear(20, 5))
    x, y = torch.randn(64, 20) * scale, torch.randint(5, (64,))
    found = split(model, lambda model, x: F.cross_entropy(gain * model(x), y), x)
    assert largest_curvature(found).how == "lanczos"
    whole = hessian_product(found.loss_at, found.parameters)
    assert whole.times(torch.ones(whole.size, dtype=torch.float64)).isfinite().all()


def test_a_network_that_ends_in_a_saturated_softmax():
    model = nn.Sequential(nn.Linear(4, 4), nn.Softmax(-1))
    model[0].weight.data = 20 * torch.eye(4)
    found = split(model, lambda model, x: (model(x) - x).square().sum(), torch.eye(4))
    assert abs(largest_curvature(found).value) < 1e-6


# -- where torch has no second derivative ----------------------------------------------------------------------


class FusedSquares(torch.autograd.Function):
    """A loss that computes its gradient in the forward pass, as fused kernels do: second derivatives are lost."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(2 * x)
        return x.square().sum()

    @staticmethod
    def backward(ctx, grad):
        (slope,) = ctx.saved_tensors
        return (grad * slope).detach()


def connectionist(model, x):
    return F.ctc_loss(model(x).log_softmax(-1), torch.tensor([[1, 2]]), torch.tensor([4]), torch.tensor([2]))


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (connectionist, "_ctc_loss"),
        (lambda model, x: FusedSquares.apply(model(x)), "product is zero and the gradient is not constant"),
        (lambda model, x: Once.apply(model(x)).sum(), "product is zero and the gradient is not constant"),
    ],
)
def test_a_loss_with_one_derivative_only(loss, message):
    found = split(mlp(4, 3).double(), loss, torch.randn(4, 1, 4).double())
    with pytest.raises(NoSecondDerivative, match=message):
        largest_curvature(found)


@pytest.mark.parametrize("function", [Once, Detaching])
def test_a_layer_with_one_derivative_only(function):
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.last = nn.Linear(4, 5), nn.Linear(5, 3)

        def forward(self, x):
            return self.last(function.apply(self.first(x)))

    found = split(Model().double(), cross_entropy, data(6, 4))
    with pytest.raises(NoSecondDerivative, match="product is not symmetric"):
        hessian_product(found.loss_at, found.parameters).times(torch.ones(43).double())


def test_a_second_derivative_that_torch_has_wrong():
    # torch 2.13 on the CPU; autograd's dense Hessian of this is not symmetric, finite differences are.
    model = nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(4, 5)), nn.Tanh(), nn.Linear(5, 3)).double()
    found = split(model, cross_entropy, data(6, 4))
    operator = hessian_product(found.loss_at, found.parameters, within=found.within)
    v = torch.randn(operator.size, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    try:
        image = operator.times(v)
    except NoSecondDerivative:
        return
    layout = Layout.of(found.parameters)
    close(image, (slope_at(found, layout, v, 1e-6) - slope_at(found, layout, v, -1e-6)) / 2e-6, 1e-6)


def slope_at(found, layout, v, step):
    moved = zip(found.parameters, layout.split(step * v), strict=True)
    leaves = [(parameter + part).requires_grad_() for parameter, part in moved]
    return layout.join(torch.autograd.grad(found.loss_at(leaves), leaves))


def test_against_finite_differences():
    model, loss, batch = LOSSES["lstm"]()
    found = split(model.double(), loss, batch)
    operator = hessian_product(found.loss_at, found.parameters, within=found.within)
    v = torch.randn(operator.size, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    layout = Layout.of(found.parameters)
    difference = slope_at(found, layout, v, 1e-6) - slope_at(found, layout, v, -1e-6)
    close(operator.times(v), difference / 2e-6, 1e-6)


def test_a_loss_that_does_not_depend():
    with pytest.raises(NotConnected, match="depends on none of the parameters"):
        hessian_product(lambda point: torch.ones(()), [torch.ones(3)])
