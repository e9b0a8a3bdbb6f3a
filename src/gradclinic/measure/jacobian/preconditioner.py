"""The diagonal by which an optimizer scales the gradient."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .flat import Layout


def root_of(
    preconditioner: Sequence[Tensor] | None, parameters: Sequence[Tensor], dtype: torch.dtype = torch.float64
) -> Tensor | None:
    """P^½ as a flat vector of ``dtype``; None for none.

    Raises ValueError where its shapes are not those of the parameters, or a number is negative or not finite.
    """
    if preconditioner is None:
        return None
    if [tensor.shape for tensor in preconditioner] != [parameter.shape for parameter in parameters]:
        raise ValueError("the preconditioner's shapes are not those of the parameters")
    layout = Layout.of(parameters)
    flat = layout.join([t.detach().to(own) for t, own in zip(preconditioner, layout.dtypes, strict=True)], dtype)
    if not bool((flat >= 0).all()) or not bool(flat.isfinite().all()):
        raise ValueError("the preconditioner holds a negative, infinite or undefined number")
    return flat.sqrt_()
