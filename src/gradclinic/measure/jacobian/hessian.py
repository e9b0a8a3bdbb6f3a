"""The Hessian of a scalar function, by its products."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from .exceptions import NoSecondDerivative, in_one_line
from .flat import Layout
from .graph import Within, as_is
from .kernels import plain_kernels
from .operators import Symmetric
from .preconditioner import root_of
from .slope import Slope


def hessian_product(
    loss_at: Callable[[Sequence[Tensor]], Tensor],
    parameters: Sequence[Tensor],
    preconditioner: Sequence[Tensor] | None = None,
    *,
    within: Within = as_is,
) -> Symmetric:
    """P^½ ∇²L P^½ at ``parameters``, by differentiating the gradient (Pearlmutter 1994).

    ``loss_at(parameters)`` → a scalar; with :func:`~.split.split` pass ``found.loss_at``, ``found.parameters`` and
    ``within=found.within``.  P is a diagonal, tensors shaped like the parameters, none negative; None: identity.
    Zero where the loss is linear.  The first product is held against its own adjoint and against a change of the
    gradient (seven more products and a gradient): torch is silent about a hand-written backward that cannot be
    differentiated, and wrong about weight norm on the CPU (2.13).  An error that is symmetric is not noticed.

    ``times`` raises NoSecondDerivative.  Raises ValueError for a preconditioner that does not fit, NotConnected for
    a loss without gradient.
    """
    root = root_of(preconditioner, parameters)
    hessian = _Hessian(loss_at, parameters, within)

    def times(vector: Tensor) -> Tensor:
        image = hessian.times(vector if root is None else root * vector)
        return image if root is None else root * image

    layout = Layout.of(parameters)
    return Symmetric(layout.size, times, layout.home)


def output_hessian(loss_of: Callable[[Tensor], Tensor], outputs: Tensor) -> Symmetric:
    """H, the Hessian of ``loss_of`` at the flat ``outputs``, (n,), float64; see :func:`hessian_product`."""
    return hessian_product(lambda point: loss_of(point[0]), [outputs])


class _Hessian:
    """The product by the first way that works."""

    def __init__(
        self, loss_at: Callable[[Sequence[Tensor]], Tensor], parameters: Sequence[Tensor], within: Within
    ) -> None:
        self._given = loss_at, parameters, within
        self._slope = Slope(*self._given)
        self._checked = False

    def times(self, vector: Tensor) -> Tensor:
        if not self._checked:
            self._slope = self._find()
            self._checked = True
        return self._slope.bent(vector)

    def _find(self) -> Slope:
        reasons = []
        for plain in (False, True):
            try:
                # Fused kernels have a first derivative only: then the loss is computed anew without them.
                with plain_kernels() if plain else contextlib.nullcontext():
                    slope = Slope(*self._given) if plain else self._slope
                    reason = slope.trouble()
            except torch.OutOfMemoryError:
                raise
            except RuntimeError as error:
                reason = in_one_line(error)
            if not reason:
                return slope
            reasons.append(reason)
        raise NoSecondDerivative(f"the loss cannot be differentiated twice: {reasons[0]}")
