"""What a step did to the weights: a sample of each parameter before and after."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from gradclinic.schema.record import Updates

from .uphill import Uphill

#: Elements looked at in one parameter.  A norm over k elements of a random-like tensor has a relative
#: error of about 1/sqrt(2k): 0.6% at 16384, far below the decades that matter; and 12M-parameter models
#: cost 2 MB instead of a copy of all weights.
SAMPLE = 16384


def sample(tensors: Sequence[Tensor | None]) -> list[Tensor | None]:
    """A copy of up to :data:`SAMPLE` evenly spaced elements of each tensor (as float64-exact own dtype)."""
    with torch.no_grad():
        return [None if tensor is None else _spread(tensor) for tensor in tensors]


def _spread(tensor: Tensor) -> Tensor | None:
    tensor = tensor.detach()
    if hasattr(tensor, "to_local"):  # a DTensor's shard
        tensor = tensor.to_local()
    if tensor.is_sparse or tensor.is_meta or tensor.numel() == 0:
        return None
    if torch.is_complex(tensor):
        tensor = torch.view_as_real(tensor)
    count = tensor.numel()
    if count <= SAMPLE:
        return tensor.reshape(-1).clone()
    flat = tensor.view(-1) if tensor.is_contiguous() else tensor.reshape(-1)
    # An odd stride visits every column of a matrix; a divisor of the row length would see one column only.
    return flat[:: (count // SAMPLE) | 1].clone()


def compare(
    tick: int,
    before: Sequence[Tensor | None],
    parameters: Sequence[Tensor | None],
    gradients: Sequence[Tensor | None],
    uphill: Uphill,
) -> tuple[Updates, float | None]:
    """Norms of weights and updates, and the share of elements that a non-zero gradient left unmoved.

    With the cosine of the step with the gradient, where ``uphill`` is certain that steps go up.
    """
    rows = len(parameters)
    weight, update, unchanged, same = (np.full(rows, np.nan) for _ in range(4))
    after = sample([now if then is not None else None for then, now in zip(before, parameters, strict=True)])
    slopes = sample([slope if then is not None else None for then, slope in zip(before, gradients, strict=True)])
    for row, (then, now, slope) in enumerate(zip(before, after, slopes, strict=True)):
        whole = parameters[row]
        if then is None or now is None or whole is None or then.shape != now.shape:
            continue
        same[row] = _same_units(whole)
        old, new = then.double(), now.double()
        factor = (whole.numel() * (2 if torch.is_complex(whole) else 1) / max(1, old.numel())) ** 0.5
        weight[row] = float(torch.linalg.vector_norm(old)) * factor
        update[row] = float(torch.linalg.vector_norm(new - old)) * factor
        if slope is not None and slope.shape == now.shape:
            pushed = slope != 0
            count = int(pushed.sum())
            if count:
                unchanged[row] = int((pushed & (now == then)).sum()) / count
    return Updates(tick, weight, update, unchanged, same), uphill.stepped(before, after, slopes)


def _same_units(weight: Tensor) -> float:
    """Whether the first, the middle and the last output unit are equal: random ones never are, constant ones are."""
    if weight.dim() < 2 or weight.shape[0] < 2 or weight.device.type != "cpu":  # no synchronisation with a device
        return float("nan")
    with torch.no_grad():
        first, middle, last = weight[0], weight[weight.shape[0] // 2], weight[-1]
        return float(bool(first.any()) and torch.equal(first, last) and torch.equal(first, middle))
