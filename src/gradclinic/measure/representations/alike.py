"""How alike the rows of a matrix are, from inner products of few of them."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

import torch
from torch import Tensor

from gradclinic.schema.representations import Alike, number

#: Features that rows are compared by.  Sums of more with random signs have the same inner products on average, with a
#: standard deviation of at most √(2/4096) = 2 % of the lengths' product (a count sketch, Charikar et al. 2002); a mean
#: over pairs is nearer, and rows that are nearly equal stay so.  64 rows of them are 2 MiB.
_FEATURES = 1 << 12
#: Roundings in units of the square of the precision that a variance of equal rows may consist of.  A value computed
#: from equal inputs along different paths is off by some of its last digits.
_ROUNDINGS = 16.0


def chosen(size: int, most: int) -> list[int]:
    """At most ``most`` of ``size`` places, evenly spaced: batches may be sorted."""
    return [int(i * size / most) for i in range(most)] if size > most else list(range(size))


def alike(rows: Tensor) -> Alike:
    """Of ``rows`` (n, ...), n small: from their n by n inner products."""
    n = len(rows)
    if n < 2 or rows.numel() == 0:
        return Alike(n, None, None, None)
    product, centred = _products(rows)
    if not bool(torch.isfinite(product).all()):
        return Alike(n, None, None, None)
    length = product.diagonal().sqrt()
    whole, differing = float(product.trace()), float(centred.trace())
    cosine = None
    if bool((length > 0).all()):
        scaled = product / length.outer(length)
        cosine = number((float(scaled.sum()) - n) / (n * (n - 1)))
    if whole == 0:
        return Alike(n, None, None, 0.0)
    precision = torch.finfo(rows.dtype).eps if rows.is_floating_point() else 0.0
    if differing <= _ROUNDINGS * precision**2 * whole:
        return Alike(n, cosine, number(differing / whole), 0.0)
    return Alike(n, cosine, number(differing / whole), effective_rank(centred))


def effective_rank(covariance: Tensor) -> float:
    """exp of the entropy of the eigenvalues, which are positive semidefinite and not all 0 (Roy and Vetterli 2007).

    That of the covariance, not of the data: its eigenvalues are squares of the data's singular values, so the number
    is that of directions which the variance lies in.
    """
    values = torch.linalg.eigvalsh(covariance).clamp(min=0)
    shares = values / values.sum()
    return float(torch.exp(torch.special.entr(shares).sum()))


def mean(found: Sequence[Alike]) -> Alike:
    """Of several; what some have no value for is the mean of the others."""

    def over(values: Sequence[float | None]) -> float | None:
        known = [value for value in values if value is not None]
        return fmean(known) if known else None

    return Alike(
        found[0].count,
        over([one.cosine for one in found]),
        over([one.spread for one in found]),
        over([one.effective_rank for one in found]),
    )


def _products(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Inner products of the rows, and of the rows without their mean, (n, n) in float64 on the CPU."""
    own = _few_columns(rows.reshape(len(rows), -1))
    # Without mean before multiplying: of rows that are nearly equal the difference of products keeps no digit.
    centred = own - own.mean(0)
    return (own @ own.T).double().cpu(), (centred @ centred.T).double().cpu()


def _few_columns(rows: Tensor) -> Tensor:
    """Rows in float64; more than :data:`_FEATURES` columns are summed up with random signs, always the same ones."""
    wide = torch.float32 if rows.device.type == "mps" else torch.float64
    if rows.shape[1] <= _FEATURES:
        return rows.to(wide)
    generator = torch.Generator().manual_seed(0)
    result = rows.new_zeros(len(rows), _FEATURES, dtype=wide)
    for part in torch.split(rows, _FEATURES, dim=1):
        width = part.shape[1]
        signs = torch.randint(2, (width,), generator=generator).mul(2).sub(1)
        result[:, :width] += part.to(wide) * signs.to(part.device)
    return result
