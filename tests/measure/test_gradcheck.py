"""Hand-written functions, right and wrong, each with the answer worked out by hand."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from gradclinic.measure.gradcheck import GradCheck, check_function

Function = torch.autograd.Function


def random_normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


class ReLU(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad * (x > 0)


class SumOfReLU(ReLU):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return ReLU.forward(ctx, x).sum()


class Tanh(Function):
    """Wrong: uses the input where the output belongs."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return torch.tanh(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad * (1 - x**2)


class OnlySingleTanh(Tanh):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        if x.dtype != torch.float32:
            raise TypeError("float32 only")
        return Tanh.forward(ctx, x)


class OnlySingleSine(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return torch.sin(x.float())

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return grad * torch.cos(ctx.saved_tensors[0])


class Linear(Function):
    """Wrong towards the bias only: averages where it should sum."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return x @ weight.t() + bias

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x, weight = ctx.saved_tensors
        return grad @ weight, grad.t() @ x, grad.mean(0)


class SquaredError(Function):
    """L = 1/(2N) sum (y - (w x + b))^2 with the right gradients."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor, b: Tensor, y: Tensor) -> Tensor:
        fitted = w * x + b
        ctx.save_for_backward(x, y, fitted)
        return ((y - fitted) ** 2).mean() / 2

    @staticmethod
    def factor(x: Tensor, fitted: Tensor) -> Tensor:
        return x

    @classmethod
    def backward(cls, ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, y, fitted = ctx.saved_tensors
        for_w = -((y - fitted) * cls.factor(x, fitted)).mean()
        return None, (grad * for_w).reshape(1), (-grad * (y - fitted).mean()).reshape(1), None


class WrongSquaredError(SquaredError):
    """The mission's row 3: (x - fitted) in place of x."""

    @staticmethod
    def factor(x: Tensor, fitted: Tensor) -> Tensor:
        return x - fitted


class Reverse(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, strength: float) -> Tensor:
        ctx.strength = strength
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        return -ctx.strength * grad, None


class WrongSign(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x**2

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return -2 * grad * ctx.saved_tensors[0]


class Round(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.round()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return grad


class StraightThroughClamp(Round):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.clamp(-1, 1)


class ClipGradient(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return grad.clamp(-0.1, 0.1)


class NoGradient(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return 2 * x

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return torch.zeros_like(grad)


class Dropout(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x * (torch.rand_like(x) > 0.5)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return grad


class Double(Function):
    """In place, and says so."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.mark_dirty(x)
        return x.mul_(2)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return 2 * grad


class SumOfLog(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.log().sum()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return grad / ctx.saved_tensors[0]


class SumOfPower(Function):
    """x^1.5, which zeros can neither be moved below nor in proportion to themselves.  The backward is wrong."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return (x**1.5).sum()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return grad + ctx.saved_tensors[0]


class Fails(Round):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        raise ValueError("no such luck")


class RandomBackward(Round):
    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return grad + torch.randn_like(grad)


def line_data() -> list[Tensor]:
    x = random_normal(100, 1)
    w = torch.tensor([0.3], requires_grad=True)
    return [x, w, torch.zeros(1, requires_grad=True), 3 * x + 2 + 0.5 * random_normal(100, 1, seed=1)]


def only_wrong(check: GradCheck) -> Any:
    assert check.abstained is None
    (item,) = check.wrong
    return item


RIGHT = {
    "relu": (ReLU, [random_normal(20, 30)]),
    "relu at its kink": (ReLU, [torch.zeros(20, 30)]),
    "relu, a third at the kink": (ReLU, [torch.arange(600).remainder(3).sub(1).float()]),
    "scalar with every input at a kink": (SumOfReLU, [torch.zeros(20, 30)]),
    "domain bounded below": (SumOfLog, [torch.logspace(-8, 0, 50)]),
    "in place": (Double, [random_normal(30)]),
    "casts to float32 inside": (OnlySingleSine, [random_normal(20, 30)]),
    "two inputs declared without gradient": (SquaredError, line_data()),
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_backward_agrees(name: str) -> None:
    function, args = RIGHT[name]
    check = check_function(function, args)
    assert check.abstained is None
    assert check.deterministic
    assert check.inputs
    assert not check.wrong
    assert check.relative_error < 1e-5
    assert check.numeric != 0.0


def test_kinks_are_left_out_rather_than_the_whole_function_passed() -> None:
    class HalfSlope(ReLU):
        @staticmethod
        def backward(ctx: Any, grad: Tensor) -> Tensor:
            return 0.5 * ReLU.backward(ctx, grad)

    item = only_wrong(check_function(HalfSlope, [torch.zeros(20, 30)]))
    assert item.fit.kind == "scale"
    assert item.fit.scale == pytest.approx(0.5, rel=1e-6)


def test_the_texts_formula_is_wrong_towards_w_and_right_towards_b() -> None:
    args = line_data()
    check = check_function(WrongSquaredError, args)
    item = only_wrong(check)
    assert item.name == "w"
    assert item.fit.kind == "none"
    assert not item.fit.deliberate
    assert [other.name for other in check.inputs] == ["w", "b"]
    # With one scalar the relative error is known: the two formulas' own values.
    x, w, b, y = (arg.detach().double() for arg in args)
    fitted = w * x + b
    right, wrong = float(-((y - fitted) * x).mean()), float(-((y - fitted) * (x - fitted)).mean())
    assert item.relative_error == pytest.approx(abs(wrong - right) / max(abs(wrong), abs(right)), rel=1e-4)
    assert item.analytic / item.numeric == pytest.approx(wrong / right, rel=1e-4)


def test_each_input_is_judged_by_itself() -> None:
    check = check_function(Linear, [random_normal(8, 5), random_normal(3, 5), random_normal(3)])
    assert only_wrong(check).name == "bias"
    assert {item.name: item.wrong for item in check.inputs} == {"x": False, "weight": False, "bias": True}
    assert only_wrong(check).fit.scale == pytest.approx(1 / 8)


def test_an_input_that_needs_no_gradient_is_not_judged() -> None:
    args = [random_normal(8, 5), random_normal(3, 5).requires_grad_(), random_normal(3)]
    check = check_function(Linear, args)
    assert [item.name for item in check.inputs] == ["weight"]


@pytest.mark.parametrize(
    ("function", "args", "kind", "scale", "deliberate"),
    [
        (Reverse, [random_normal(20, 30), 0.5], "scale", -0.5, True),
        (WrongSign, [random_normal(20, 30)], "scale", -1.0, False),
        (Round, [4 * random_normal(20, 30)], "surrogate", None, True),
        (StraightThroughClamp, [random_normal(20, 30)], "identity", None, True),
        (ClipGradient, [random_normal(20, 30)], "nonlinear", None, True),
        (NoGradient, [random_normal(20, 30)], "zero", 0.0, False),
        (Tanh, [random_normal(20, 30)], "none", None, False),
    ],
)
def test_says_what_a_disagreeing_backward_does(
    function: type[Function], args: list[Any], kind: str, scale: float | None, deliberate: bool
) -> None:
    fit = only_wrong(check_function(function, args)).fit
    assert (fit.kind, fit.deliberate) == (kind, deliberate)
    assert fit.scale == (None if scale is None else pytest.approx(scale, rel=1e-6))
    assert fit.meaning


def test_a_function_that_refuses_float64_is_judged_in_its_own_dtype() -> None:
    check = check_function(OnlySingleTanh, [random_normal(20, 30)])
    assert check.dtype == "float32"
    assert only_wrong(check).name == "x"


@pytest.mark.parametrize(
    ("function", "args", "deterministic", "why"),
    [
        (Dropout, [random_normal(20, 30)], False, "differ"),
        (RandomBackward, [random_normal(20, 30)], True, "backward"),
        (SumOfPower, [torch.zeros(5)], True, "not smooth"),
        (Fails, [random_normal(3)], True, "no such luck"),
        (Round, [torch.arange(3)], True, "no floating input"),
        (Round, [torch.full((3,), float("nan"))], True, "not finite"),
        (OnlySingleTanh, [random_normal(3).bfloat16()], True, "half precision|float32 only"),
    ],
)
def test_abstains_and_says_why(function: type[Function], args: list[Any], deterministic: bool, why: str) -> None:
    check = check_function(function, args)
    assert check.abstained is not None
    assert not check.inputs
    assert check.deterministic is deterministic
    assert any(part in check.abstained for part in why.split("|"))


def test_out_of_time_is_an_abstention() -> None:
    assert check_function(ReLU, [random_normal(3)], seconds=0.0).abstained == "out of time"


def test_leaves_arguments_and_generators_alone() -> None:
    class Draws(ReLU):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            torch.rand(3), random.random(), np.random.rand()
            return ReLU.forward(ctx, x.mul_(1.0))

    x = random_normal(20, 30)
    before = x.clone()
    torch_state, python_state, numpy_state = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].copy()
    assert check_function(Draws, [x]).abstained is None
    assert torch.equal(x, before)
    assert not x.requires_grad
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert random.getstate() == python_state
    assert np.array_equal(np.random.get_state()[1], numpy_state)
