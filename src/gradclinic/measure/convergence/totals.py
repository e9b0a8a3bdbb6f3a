"""Sums over a stretch of steps from which signal, noise and the orbit around a minimum are read.

Three things are added at each step, each by one pass over the gradients: the gradient, the weights, and two inner
products.  Nothing waits for the device before :meth:`Totals.read`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Stretch:
    """What a stretch of steps says, over all parameters or a group of them."""

    steps: int
    mean: float  #: ‖ḡ‖, the norm of the mean gradient
    size: float  #: √(mean ‖g‖²)
    excess: float  #: how much lower the loss is in the middle of the orbit, in units of the loss
    fall: float  #: of the loss from the middle of the first half to that of the second, as the gradients have it

    @property
    def signal(self) -> float:
        """T·‖ḡ‖² / mean ‖g‖²: T for a gradient that is all signal, 1 for one that is all noise, less on an orbit.

        The norm test of Byrd (2012) for the mean over T steps: the squared length of the mean in units of its variance.
        """
        return self.steps * self.mean**2 / self.size**2 if self.size > 0 else 0.0


class Totals:
    """The sums of one stretch of ``length`` steps over ``parameters``; ``.grad`` None counts as zeros."""

    def __init__(self, parameters: Sequence[Tensor], length: int) -> None:
        self._parameters = list(parameters)
        real = [_real(p.detach()) for p in self._parameters]
        pairs = [(p, p.dtype if p.dtype.itemsize >= 4 else torch.float32) for p in real]
        self._gradients = [torch.zeros_like(p, dtype=kind) for p, kind in pairs]
        self._halves = [[torch.zeros_like(p, dtype=kind) for p, kind in pairs] for _ in range(2)]
        self._squares = [torch.zeros((), dtype=torch.float32, device=p.device) for p in self._parameters]
        self._products = [torch.zeros((), dtype=torch.float32, device=p.device) for p in self._parameters]
        self._length, self._steps = length, 0

    @torch.no_grad()
    def add(self) -> None:
        """One step: after ``backward``, before the optimizer changes weights or gradients."""
        there = [place for place, p in enumerate(self._parameters) if p.grad is not None]
        weights = [_real(p.detach()) for p in self._parameters]
        gradients = [_real(_dense(self._parameters[place].grad)) for place in there]
        if there:
            torch._foreach_add_([self._gradients[place] for place in there], gradients)
            lengths = torch._foreach_norm(gradients)
            torch._foreach_mul_(lengths, list(lengths))
            torch._foreach_add_([self._squares[place] for place in there], list(lengths))
        torch._foreach_add_(self._halves[2 * self._steps >= self._length], weights)
        for place, gradient in zip(there, gradients, strict=True):
            # A dot product makes no tensor of the weights' size in between, as a sum of products does.
            self._products[place] += torch.dot(
                weights[place].reshape(-1), gradient.reshape(-1).to(weights[place].dtype)
            )
        self._steps += 1

    @torch.no_grad()
    def read(self, decay: Mapping[Tensor, Tensor | float]) -> dict[Tensor, Stretch]:
        """By parameter; waits for the device.

        ``decay[p]``: what weight decay adds to the gradient, per unit of weight: at rest the gradient of the loss
        balances it, and is not zero.
        """
        found = {}
        count, early = self._steps, -(-self._length // 2)
        columns = (self._parameters, self._gradients, *self._halves, self._squares, self._products)
        for p, gradient, first, second, square, product in zip(*columns, strict=True):
            mean, middle = gradient.double() / count, (first.double() + second.double()) / count
            # ½·mean ⟨θ - θ̄, g⟩ is the mean loss on the orbit less that in its middle, exactly on a quadratic,
            # whatever optimizer drives it; noise that does not know the weights drops out (Yaida 2019).
            excess = float(product) / count - float((mean * middle).sum())
            mean = mean + decay.get(p, 0.0) * middle
            # The trapezium rule, exact on a quadratic.  The losses say the same with the noise of every batch in it.
            fall = float((mean * (first.double() / early - second.double() / (count - early))).sum())
            found[p] = Stretch(self._steps, float(mean.norm()), sqrt(float(square) / count), excess / 2, fall)
        return found


def together(parts: Sequence[Stretch]) -> Stretch:
    """Several parameters as one."""
    if not parts:
        return Stretch(0, 0.0, 0.0, 0.0, 0.0)
    mean = sqrt(sum(part.mean**2 for part in parts))
    size = sqrt(sum(part.size**2 for part in parts))
    excess, fall = sum(part.excess for part in parts), sum(part.fall for part in parts)
    return Stretch(parts[0].steps, mean, size, excess, fall)


def _dense(gradient: Tensor | None) -> Tensor:
    assert gradient is not None
    return gradient.detach() if gradient.layout == torch.strided else gradient.detach().to_dense()


def _real(tensor: Tensor) -> Tensor:
    """A complex element as its two parts."""
    return torch.view_as_real(tensor) if tensor.is_complex() else tensor
