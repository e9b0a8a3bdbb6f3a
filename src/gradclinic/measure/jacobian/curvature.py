"""The generalised Gauss-Newton matrix of a loss in the space of parameters, by its products."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .check import TRIES
from .hessian import output_hessian
from .operators import Symmetric
from .preconditioner import root_of
from .products import MODES, Jacobian
from .split import Split


def gauss_newton(
    found: Split,
    preconditioner: Sequence[Tensor] | None = None,
    *,
    modes: Sequence[str] = MODES,
    tries: int = TRIES,
    dtype: torch.dtype = torch.float64,
) -> Symmetric:
    """P^½ G P^½ with G = Jᵀ H J, the generalised Gauss-Newton matrix (Schraudolph 2002).

    J is the Jacobian of the outputs by the parameters, H the Hessian of the loss by the outputs, P the diagonal
    ``preconditioner`` (tensors shaped like the parameters, none negative; None: identity).  G is positive
    semidefinite where the loss is convex in the outputs.  What of the loss does not go through the outputs is left
    out (:attr:`~.split.Split.missed`).  One product costs a J v, two backward passes through the loss and one through
    the model.

    Raises NotConnected, ValueError for a preconditioner that does not fit; its ``times`` raises NoForwardMode and
    NoSecondDerivative.  ``tries``: how often J v is held against the backward pass; ``dtype``:
    of the vectors.
    """
    jacobian = Jacobian(
        found.outputs, list(found.parameters), modes=modes, within=found.within, tries=tries, dtype=dtype
    )
    hessian = output_hessian(found.loss_of, jacobian.value)
    root = root_of(preconditioner, found.parameters, dtype)

    def times(vector: Tensor) -> Tensor:
        image = jacobian.times(vector if root is None else root * vector)
        back = jacobian.adjoint(hessian.times(image))
        return back if root is None else root * back

    return Symmetric(jacobian.columns, times, jacobian.device, dtype)
