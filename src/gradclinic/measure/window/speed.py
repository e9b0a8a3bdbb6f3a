"""How fast the samples of a batch can be told apart, per unit of learning rate: what sets the window's lower end."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor

from gradclinic.measure.jacobian import Jacobian, Split


def sample_dimensions(count: int) -> list[int]:
    """Which of ``count`` dimensions of an output tell samples apart.

    The first one, and all but the last of sequences (N, T, C); of images (N, C, H, W) all but the channels.
    """
    if count < 3:
        return [0] if count else []
    return [place for place in range(count) if place != (1 if count > 3 else 2)]


def centred(residual: Tensor, shapes: Sequence[torch.Size] | None) -> Tensor:
    """∂loss/∂outputs, flat (n,), less its mean over the samples of each output.

    What is left distinguishes the samples: no bias can fit it.  Outputs without a shape are one row.
    """
    parts, start = [], 0
    for shape in shapes or [residual.shape]:
        size = prod(shape)
        part = residual[start : start + size].reshape(shape)
        start += size
        along = sample_dimensions(part.dim())
        parts.append((part - part.mean(along, keepdim=True) if along else part).reshape(-1))
    return torch.cat(parts)


def speed(found: Split, diagonal: Sequence[Tensor]) -> float:
    """ρ = ‖Jᵀ r_c‖²_P / (n ‖r_c‖²): e-folds of the sample-specific error in one step, per unit of learning rate.

    n is the number of samples, r_c the centred residual of a loss that is a mean over them.  0 where all samples
    have the same residual, or nothing of it reaches a parameter.  One backward pass through the model.

    Raises NotConnected, and what the closure raises.
    """
    jacobian = Jacobian(found.outputs, list(found.parameters), within=found.within)
    outputs = jacobian.value.detach().requires_grad_()
    with torch.enable_grad():
        (residual,) = torch.autograd.grad(found.loss_of(outputs), outputs)
    own = centred(residual.detach(), found.shapes)
    length = float(torch.dot(own.double(), own.double()))
    if not length > 0:
        return 0.0
    pulled = jacobian.pull(own)
    shapes = found.shapes or [own.shape]
    samples = max(1, shapes[0][0] if len(shapes[0]) else 1)
    weighed = sum(_weighed(part, scale) for part, scale in zip(pulled, diagonal, strict=True))
    return weighed / (samples * length)


def _weighed(gradient: Tensor | None, scale: Tensor) -> float:
    """‖gradient‖²_P of one parameter, in float64; a complex element counts as two real ones."""
    if gradient is None:
        return 0.0
    dense = gradient.to_dense() if gradient.layout != torch.strided else gradient
    size = dense.abs() if dense.is_complex() else dense
    return float(size.double().square_().mul_(scale.detach().to(size.device)).sum())
