"""The diagonal by which an optimizer scales the gradient."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from .flat import Layout


def root_of(preconditioner: Sequence[Tensor] | None, parameters: Sequence[Tensor]) -> Tensor | None:
    """P^½ as a flat vector, float64; None for none.

    Raises ValueError where its shapes are not those of the parameters, or a number is negative or not finite.
    """
    if preconditioner is None:
        return None
    if [tensor.shape for tensor in preconditioner] != [parameter.shape for parameter in parameters]:
        raise ValueError("the preconditioner's shapes are not those of the parameters")
    layout = Layout.of(parameters)
    flat = layout.join([t.detach().to(dtype) for t, dtype in zip(preconditioner, layout.dtypes, strict=True)])
    if not bool((flat >= 0).all()) or not bool(flat.isfinite().all()):
        raise ValueError("the preconditioner holds a negative, infinite or undefined number")
    return flat.sqrt()
