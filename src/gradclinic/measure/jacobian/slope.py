"""The gradient of a loss with its graph, and what its derivative is worth."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from .check import AGREEMENT, ROUNDING, agree
from .exceptions import NotConnected
from .flat import Layout
from .graph import Within

#: A step, relative to a tensor's size, that changes a smooth gradient by more than float32's rounding and carries
#: next to nothing across a kink.
STEP = 1e-4


class Slope:
    """The gradient of a loss, with the graph that it was computed by."""

    def __init__(
        self, loss_at: Callable[[Sequence[Tensor]], Tensor], parameters: Sequence[Tensor], within: Within
    ) -> None:
        self._loss_at, self._within, self._layout = loss_at, within, Layout.of(parameters)
        self._leaves = [parameter.detach().requires_grad_() for parameter in parameters]
        self._gradient = self._at(self._leaves, create_graph=True)
        self._curved = [(place, g) for place, g in enumerate(self._gradient) if g is not None and g.requires_grad]

    def bent(self, vector: Tensor) -> Tensor:
        """The gradient of <gradient, vector>, flat."""
        if not self._curved:
            return torch.zeros_like(vector)
        parts = self._layout.split(vector)
        pulled: Sequence[Tensor | None] = self._within(
            self._leaves,
            lambda: torch.autograd.grad(
                [g for _, g in self._curved],
                self._leaves,
                [parts[place] for place, _ in self._curved],
                retain_graph=True,
                allow_unused=True,
            ),
        )
        return self._layout.join(pulled)

    def trouble(self) -> str:
        """Why the products are not those of a Hessian; "" where nothing speaks against them."""
        size, home = self._layout.size, self._layout.home
        told, seen = self._change()
        if not agree(self.bent, self.bent, size, size, home):
            # A saturated softmax: in float32 the gradient itself has no symmetric derivative any more.
            if self._follows(told, seen):
                return ""
            return "the product is not symmetric: torch lost a derivative, or has a wrong one"
        # At a kink of the loss a small step changes a few elements of the gradient, elsewhere all.
        if not bool(told.any()) and float((seen != 0).double().mean()) > 0.5:
            return "the product is zero and the gradient is not constant: torch lost a derivative"
        return ""

    def _change(self) -> tuple[Tensor, Tensor]:
        """How a random step changes the gradient: by the product, and as seen."""
        generator = torch.Generator().manual_seed(0)
        near, parts = [], []
        for leaf in self._leaves:
            size = float(leaf.detach().abs().square().mean().sqrt()) or 1.0
            part = torch.randn(leaf.shape, generator=generator).to(leaf) * STEP * size
            near.append((leaf.detach() + part).requires_grad_())
            parts.append(part)
        here = self._layout.join(self._gradient).detach()
        return self.bent(self._layout.join(parts)), self._layout.join(self._at(near, create_graph=False)) - here

    def _follows(self, told: Tensor, seen: Tensor) -> bool:
        apart, length = float((seen - told).norm()), max(float(seen.norm()), float(told.norm()))
        # What is computed inside may be single precision even where the leaves (flat outputs) are double.
        epsilon = max(self._layout.epsilon, torch.finfo(torch.float32).eps)
        rounding = ROUNDING * epsilon * float(self._layout.join(self._gradient).detach().norm())
        return apart <= max(AGREEMENT * length, rounding)

    def _at(self, leaves: Sequence[Tensor], create_graph: bool) -> Sequence[Tensor | None]:
        with torch.enable_grad():
            value = self._loss_at(leaves)
        if not value.requires_grad:
            raise NotConnected("the loss depends on none of the parameters")
        gradient: Sequence[Tensor | None] = self._within(
            leaves, lambda: torch.autograd.grad(value, leaves, create_graph=create_graph, allow_unused=True)
        )
        return gradient
