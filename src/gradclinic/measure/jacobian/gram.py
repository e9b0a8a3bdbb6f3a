"""The largest eigenvalue of the Gauss-Newton matrix, bounded from below without a single J v."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .exceptions import NotFinite
from .hessian import output_hessian
from .operators import drawn, seeded
from .preconditioner import root_of
from .products import Jacobian
from .split import Split

#: A combination of directions along which the loss bends this much less than along the best one is flat to rounding.
FLAT = 1e-10
#: Random directions along each dimension of the outputs.
DIRECTIONS = 16


def gram_bound(
    found: Split,
    preconditioner: Sequence[Tensor] | None = None,
    *,
    directions: int = DIRECTIONS,
    generator: torch.Generator | None = None,
) -> tuple[float, int]:
    """A lower bound of the largest eigenvalue of P^½ Jᵀ H J P^½, and how many backward passes it took.

    For cotangents s_i = H c_i the Gram matrix K = Sᵀ J P Jᵀ S needs products with Jᵀ and H only; against
    B = Cᵀ H C its largest generalised eigenvalue is the Rayleigh-Ritz value of H^½ J P Jᵀ H^½ on the span of the
    H^½ c_i.  That matrix has the same eigenvalues, so for a loss convex in the outputs the result is never too large.

    Bias: it is too small by what the span misses.  Directions drawn anew for every output reach only 2 to 10% of
    the eigenvalue, because its eigenvector is nearly the same for all samples (Karakida et al. 2019).  So the random
    ``directions`` differ along one dimension of each output only (the last and the second by turns: classes of a
    classifier and of a dense prediction), and the outputs and the loss's slope are added, averaged likewise.
    Measured on small networks: 85 to 100% with ten outputs, half with a language model's 50 classes.  A
    :class:`Split` without ``shapes`` gets directions drawn anew for every output.

    Costs directions + 2 backward passes and 8 bytes x their number x parameters.  Raises NotConnected,
    NoSecondDerivative, NotFinite, ValueError for a preconditioner that does not fit.
    """
    jacobian = Jacobian(found.outputs, list(found.parameters), modes=(), within=found.within)
    outputs = jacobian.value
    hessian = output_hessian(found.loss_of, outputs)
    root = root_of(preconditioner, found.parameters)
    tangents = torch.stack(_directions(found, outputs, directions, seeded(generator)))
    cotangents = torch.stack([hessian.times(tangent) for tangent in tangents])
    pulled = torch.stack([jacobian.adjoint(cotangent) for cotangent in cotangents])
    pulled = pulled if root is None else pulled * root
    bends = tangents @ cotangents.T
    if not bool(pulled.isfinite().all()) or not bool(bends.isfinite().all()):
        raise NotFinite("a product with the loss's or the outputs' derivatives holds inf or nan")
    lengths, vectors = torch.linalg.eigh((bends + bends.T) / 2)
    kept = lengths > FLAT * lengths[-1].clamp(min=0.0)
    if not bool(kept.any()):
        return 0.0, len(tangents)  # the loss does not bend upwards along any of them
    unit = vectors[:, kept] / lengths[kept].sqrt()
    return float(torch.linalg.eigvalsh(unit.T @ (pulled @ pulled.T) @ unit)[-1]), len(tangents)


def _directions(found: Split, outputs: Tensor, count: int, generator: torch.Generator) -> list[Tensor]:
    if found.shapes is None:
        return [drawn(len(outputs), generator, outputs.device) for _ in range(count)]
    leaf = outputs.detach().clone().requires_grad_()
    with torch.enable_grad():
        (slope,) = torch.autograd.grad(found.loss_of(leaf), leaf)
    made = [_along(found.shapes, place, outputs, generator) for place in range(count)]
    return [*made, _along(found.shapes, 0, outputs), _along(found.shapes, 0, slope)]


def _along(shapes: Sequence[torch.Size], turn: int, like: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """A flat vector that differs along one dimension of each output: random, or ``like`` averaged over the others."""
    parts = []
    for shape, part in zip(shapes, torch.split(like, [shape.numel() for shape in shapes]), strict=True):
        kept = len(shape) - 1 if turn % 2 == 0 else 1
        if len(shape) < 2:
            kept = -1  # a number per sample: nothing but the samples to differ along
        others = [place for place in range(len(shape)) if place != kept]
        if generator is None:
            small = part.reshape(shape).mean(others, keepdim=True) if others else part.reshape(shape)
        else:
            size = shape[kept] if kept >= 0 else 1
            small = drawn(size, generator, like.device).reshape([size if p == kept else 1 for p in range(len(shape))])
        parts.append(small.expand(shape).reshape(-1))
    return torch.cat(parts)
