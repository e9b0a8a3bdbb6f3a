"""Hand-written functions, right and wrong in every common way, and patterns that people write on purpose."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function


class GoodTanh(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        y = torch.tanh(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        return g * (1 - y**2)


class MissingTerm(GoodTanh):
    """tanh' without the square."""

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        return g * (1 - y)


class WrongSign(GoodTanh):
    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        return -g * (1 - y**2)


class WrongFactor(GoodTanh):
    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        return 1.1 * g * (1 - y**2)


class NoGradient(GoodTanh):
    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        return torch.zeros_like(g)


class GoodMatmul(Function):
    """x @ w."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor) -> Tensor:
        ctx.save_for_backward(x, w)
        return x @ w

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, ...]:
        x, w = ctx.saved_tensors
        return g @ w.T, x.T @ g


class Transposed(GoodMatmul):
    """Forgets a transpose; w is square, so the shapes fit."""

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, ...]:
        x, w = ctx.saved_tensors
        return g @ w, x.T @ g


class TransposedWeight(GoodMatmul):
    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, ...]:
        x, w = ctx.saved_tensors
        return g @ w.T, g.T @ x


class MeanForSum(GoodMatmul):
    """Divides the weight's gradient by the batch once more."""

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, ...]:
        x, w = ctx.saved_tensors
        return g @ w.T, x.T @ g / len(x)


class LastSampleOnly(GoodMatmul):
    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, ...]:
        x, w = ctx.saved_tensors
        return g @ w.T, x[-1:].T @ g[-1:]


class GoodSquaredError(Function):
    """Mean of (y - x w)² over the samples; x (N,), w scalar, y (N,)."""

    @staticmethod
    def forward(ctx: Any, w: Tensor, x: Tensor, y: Tensor) -> Tensor:
        ctx.save_for_backward(w, x, y)
        return ((y - x * w) ** 2).mean()

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:
        w, x, y = ctx.saved_tensors
        return (-2 * g * ((y - x * w) * x).mean()).reshape(w.shape), None, None


class MissionSquaredError(GoodSquaredError):
    """∂L/∂w = (1/N) Σ (y - ŷ)(x - ŷ), which is no derivative of anything."""

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:
        w, x, y = ctx.saved_tensors
        guess = x * w
        return (g * ((y - guess) * (x - guess)).mean()).reshape(w.shape), None, None


class MissionLoss(Function):
    """The same mistake in a loss of (ŷ, x, y)."""

    @staticmethod
    def forward(ctx: Any, guess: Tensor, x: Tensor, y: Tensor) -> Tensor:
        ctx.save_for_backward(guess, x, y)
        return ((y - guess) ** 2).mean()

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:
        guess, x, y = ctx.saved_tensors
        return g * (y - guess) * (x - guess) / len(y), None, None


class StraightThrough(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return torch.round(4 * x) / 4

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        return g


class Spike(Function):
    """A step with a surrogate gradient."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return (x > 0).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return g / (1 + x.abs()) ** 2


class Reversal(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        return -g


class ClippedBackward(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        return g.clamp(-1e-4, 1e-4)
